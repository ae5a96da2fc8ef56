"""
The pager, by Events v2: wake somebody, and let the page end when the incident does.

**At least once**: a page that may have been lost is sent again, because nobody awake is the worst case; the service
knows it by its dedup key, and one that was received is not rung a second time.
"""

from dataclasses import dataclass

from firstwatch.channels.channel import Case, shortened
from firstwatch.channels.wire import Wire, credential
from firstwatch.errors import NotFound, Refused, nearest
from firstwatch.model import Json
from firstwatch.reach import Pager as Settings
from firstwatch.record.messages import Message

MOST_SUMMARY = 1024
ACTIONS = {"page-acknowledged": "acknowledge", "page-resolved": "resolve"}
SEVERITIES = {"SEV1": "critical", "SEV2": "error", "SEV3": "warning", "SEV4": "info"}


@dataclass(frozen=True, slots=True)
class Pager:
    wire: Wire
    settings: Settings
    name: str = "pager"
    by_hand: str = ""

    @classmethod
    def open(cls, settings: Settings, deadline_s: float) -> "Pager":
        return cls(Wire("the pager", settings.url, deadline_s), settings)

    def arrived(self, message: Message, case: Case) -> str:
        """Return nothing: the dedup key makes a second one harmless."""
        return ""

    def send(self, message: Message, case: Case) -> str:
        """Trigger, acknowledge or resolve, as the template says; the receipt is the dedup key."""
        key = dedup_key(message, case)
        body: dict[str, Json] = {
            "routing_key": self._routing_key(message.to), "dedup_key": key,
            "event_action": ACTIONS.get(message.template, "trigger"),
        }  # fmt: skip
        if body["event_action"] == "trigger":
            body["payload"] = {
                "summary": shortened(message.text, MOST_SUMMARY), "source": "firstwatch",
                "severity": SEVERITIES.get(str(message.fields.get("severity", "")), "error"),
                "custom_details": {"incident": case.incident},
            }  # fmt: skip
        answer = self.wire.write("POST", "/v2/enqueue", body)
        if not isinstance(answer, dict) or answer.get("status") != "success":
            raise Refused(f"the pager did not take it: {str(answer)[:200]}")
        return key

    def _routing_key(self, whom: str) -> str:
        if whom not in self.settings.keys:
            raise NotFound(f"the pager has no key for {whom!r}; {nearest(whom, list(self.settings.keys))}")
        return credential(self.settings.keys[whom])


def dedup_key(message: Message, case: Case) -> str:
    """
    Return by what the pager knows the alert.

    A page has one key an incident and person, so that the end of an incident ends it; any other text has its own, and
    whatever ends it names that: `alert`.
    """
    own = message.id if not message.template.startswith("page") else f"firstwatch-{case.incident}-{message.to}"
    return str(message.fields.get("alert", own))
