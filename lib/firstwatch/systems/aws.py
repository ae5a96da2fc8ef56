"""
AWS: the load balancer and the health of its targets, through boto3, which finds the credentials itself.

Reads, one try each, within a deadline. Credentials that are missing or have expired are a refusal, not a health.
"""

from typing import Any

from firstwatch.errors import NotFound, Refused, Unavailable
from firstwatch.model import Json
from firstwatch.settings import Aws
from firstwatch.systems.deck import Deck, Told

DEADLINE_S = 10.0
DENIED = (
    "ExpiredToken",
    "InvalidClientTokenId",
    "AccessDenied",
    "UnrecognizedClient",
    "AuthFailure",
    "SignatureDoesNotMatch",
)
FAILED = 500


def ask(deck: Deck, where: Aws, operation: str, **parameters: Json) -> Json:
    """
    Return what one read of `elbv2` answers, such as `describe_load_balancers`.

    Raises:
        Refused: There are no credentials, they have expired, or may not do this.
        NotFound: There is no such load balancer or target group.
        Unavailable: No answer in time, or boto3 is not installed.
    """
    url = f"aws://elbv2/{operation}"
    status, told = deck.asked("AWS", url, parameters, DEADLINE_S, lambda: _call(where, operation, parameters))
    if status != FAILED:
        return told
    said = f"{operation}: {told['code']}: {told['message']}"
    if told["code"].startswith(DENIED) or told["code"] in (
        "NoCredentialsError",
        "NoRegionError",
        "TokenRetrievalError",
    ):
        raise Refused(f"{said}; sign in again, or ask for access")
    raise (NotFound if "NotFound" in told["code"] else Unavailable)(f"{said}; look at the console")


def _call(where: Aws, operation: str, parameters: dict[str, Json]) -> Told:
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError as error:
        raise Unavailable("boto3 is not installed; pip install 'firstwatch[aws]'") from error
    config = Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 1})
    try:
        client: Any = boto3.session.Session().client(
            "elbv2", region_name=where.region or None, endpoint_url=where.endpoint or None, config=config
        )
        answer = getattr(client, operation)(**parameters)
    except ClientError as error:
        told = error.response["Error"]
        return FAILED, {"code": told.get("Code", ""), "message": told.get("Message", "")[:300]}
    except BotoCoreError as error:
        return FAILED, {"code": type(error).__name__, "message": str(error)[:300]}
    answer.pop("ResponseMetadata", None)
    return 200, _plain(answer)


def _plain(value: Any) -> Json:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool | type(None)) else str(value)
