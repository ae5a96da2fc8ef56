"""
Secrets that nobody has, made from a seed when they are needed: no file holds one.

A kind is a format as its vendor or its program writes it, written down here from their documents and not from the
patterns that are tried. Where a format is told in short, `A36` stands for 36 letters and digits, `a` for small ones,
`H` for hex, `U` for large ones and digits, `B` for Base64's, `W` for letters, digits, `-` and `_`, `D` for digits. A
`|` is left out: it keeps these lines from looking like tokens.
"""

import base64
import html
import json
import re
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from urllib.parse import quote, quote_plus

ALPHABETS = {
    "A": string.ascii_letters + string.digits,
    "a": string.ascii_lowercase + string.digits,
    "H": "0123456789abcdef",
    "U": string.ascii_uppercase + string.digits,
    "B": string.ascii_letters + string.digits + "+/",
    "W": string.ascii_letters + string.digits + "-_",
    "D": string.digits,
}
_RUN = re.compile(r"<([AaHUBWD])(\d+)>")


@dataclass(frozen=True, slots=True)
class Planted:
    """One secret in the text that it came in. `core` is the part that must not be told."""

    group: str
    kind: str
    text: str
    core: str


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of secret. `form` has runs of letters to be made, as `<A36>`; the longest is the core."""

    group: str
    name: str
    form: str

    def made(self, random: Random) -> Planted:
        runs: list[str] = []

        def run(found: re.Match[str]) -> str:
            runs.append("".join(random.choices(ALPHABETS[found[1]], k=int(found[2]))))
            return runs[-1]

        text = _RUN.sub(run, self.form.replace("|", ""))
        return Planted(self.group, self.name, text, max(runs, key=len))


TOKENS = {
    "AWS key id": "AK|IA<U16>",
    "AWS session key id": "AS|IA<U16>",
    "Google API key": "AI|za<W35>",
    "Google access": "ya|29.<W60>",
    "Google client secret": "GOC|SPX-<W28>",
    "Azure client secret": "<A3>8Q|~<A34>",
    "GitHub personal": "gh|p_<A36>",
    "GitHub OAuth": "gh|o_<A36>",
    "GitHub server": "gh|s_<A36>",
    "GitHub refresh": "gh|r_<A36>",
    "GitHub fine-grained": "github|_pat_<A22>_<A59>",
    "GitLab personal": "gl|pat-<W20>",
    "GitLab runner": "gl|rt-<W20>",
    "GitLab deploy": "gl|dt-<W20>",
    "GitLab CI job": "gl|cbt-<W20>",
    "Slack bot": "xo|xb-<D12>-<D12>-<A24>",
    "Slack user": "xo|xp-<D12>-<D12>-<A32>",
    "Slack app": "xa|pp-1-A<U10>-<D12>-<H64>",
    "Stripe secret": "sk|_live_<A24>",
    "Stripe restricted": "rk|_live_<A24>",
    "Stripe test": "sk|_test_<A24>",
    "Stripe webhook": "wh|sec_<A32>",
    "npm": "np|m_<A36>",
    "PyPI": "py|pi-AgEIcHlwaS5vcmc<W70>",
    "RubyGems": "ruby|gems_<H48>",
    "Docker Hub": "dc|kr_pat_<W27>",
    "Hugging Face": "h|f_<A34>",
    "OpenAI": "s|k-<A48>",
    "OpenAI project": "s|k-proj-<W60>",
    "Anthropic": "s|k-ant-api03-<W80>",
    "SendGrid": "S|G.<W22>.<W43>",
    "Mailgun": "ke|y-<H32>",
    "Twilio": "S|K<H32>",
    "New Relic": "NR|AK-<U27>",
    "Grafana service account": "gl|sa_<A32>_<H8>",
    "Grafana cloud": "gl|c_<B64>",
    "Vault": "hv|s.<A24>",
    "Vault batch": "hv|b.<W90>",
    "Terraform": "<A14>.atlas|v1.<W64>",
    "DigitalOcean": "do|p_v1_<H64>",
    "Shopify": "sh|pat_<H32>",
    "Linear": "lin|_api_<A40>",
    "Atlassian": "ATA|TT3xFf<W160>",
    "Postman": "PM|AK-<H24>-<H34>",
    "Pulumi": "pu|l-<H40>",
    "Supabase": "sb|p_<H40>",
    "PlanetScale": "pscale|_tkn_<W40>",
    "Databricks": "da|pi<H32>",
    "Doppler": "d|p.pt.<A40>",
    "age": "AGE-SECRET|-KEY-1<U58>",
    "Sentry": "sntrys|_<W80>",
    "Tailscale": "ts|key-auth-<A12>-<A32>",
    "1Password": "op|s_<W120>",
    "Figma": "fi|gd_<W40>",
    "Telegram": "<D10>:A|A<W33>",
    "Square": "sq|0csp-<W43>",
    "web token": "ey|J<W30>.ey|J<W80>.<W43>",
    "service account token": "ey|J<W60>.ey|J<W300>.<W342>",
    "encrypted web token": "ey|J<W30>.<W40>.<W16>.<W80>.<W22>",
    "CircleCI": "CCI|PAT_<A22>_<H40>",
}

NAMES = (
    "password",
    "DB_PASSWORD",
    "PGPASSWORD",
    "adminPassword",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "client_secret",
    "clientSecret",
    "SECRET_KEY",
    "token",
    "API_TOKEN",
    "accessToken",
    "refresh_token",
    "auth_token",
    "api_key",
    "apiKey",
    "X_API_KEY",
    "access_key",
    "AWS_SECRET_ACCESS_KEY",
    "private_key",
    "ENCRYPTION_KEY",
    "signing-key",
    "AZURE_STORAGE_KEY",
    "credential",
    "session_id",
    "DATADOG_API_KEY",
    "MASTER_KEY",
    "JWT_SECRET",
    "webhook_secret",
    "cookie",
)
SYNTAXES = {
    "NAME=": "{}=<A20>",
    "export": "export {}=<A20>",
    "quoted": "{} = '<A20>'",
    "double quoted": '{}="<A20>"',
    "YAML": "  {}: <A20>",
    "JSON": '{{"{}": "<A20>", "b": 1}}',
    "query": "GET /x?{}=<A20>&page=2",
    "escaped JSON": '{{\\"{}\\": \\"<A20>\\"}}',
    "pair": "- name: {}\n  value: <A20>",
    "log": "level=info {}=<A20> took=3ms",
}
ADDRESSES = {
    each: f"{each}://app:<A20>@db.internal:5432/orders"
    for each in (
        "postgres",
        "postgresql",
        "mysql",
        "mongodb+srv",
        "redis",
        "rediss",
        "amqp",
        "https",
        "ftp",
        "ldap",
        "kafka",
        "clickhouse",
    )
} | {
    "redis without a user": "redis://:<A20>@cache:6379/0",
    "git with a token": "https://<A30>@git.example/x.git",
    "Slack webhook": "https://hooks.slack|.com/services/T<U8>/B<U8>/<A24>",
    "Discord webhook": "https://discord|.com/api/webhooks/<D18>/<W68>",
    "Teams webhook": "https://corp.webhook.office|.com/webhookb2/<H32>/IncomingWebhook/<H32>",
    "Azure SAS": "https://x.blob.core.windows.net/c?sv=2024&sig=<A43>%3D",
    "S3 signed": "https://b.s3.example/k?X-Amz-Signature=<H64>",
    "Oracle": "jdbc:oracle:thin:app/<A20>@db:1521/x",
    "JDBC": "jdbc:postgresql://db/x?user=app&password=<A20>",
}
HEADERS = {
    "Bearer": "Authorization: Bearer <A40>",
    "Basic": "authorization: Basic <A39>=",
    "Token": "Authorization: Token <A40>",
    "signed": "Authorization: AWS4-HMAC-SHA256 Credential=x, Signature=<H64>",
    "Proxy": "Proxy-Authorization: Basic <A32>",
    "Cookie": "Cookie: a=1; session=<A32>",
    "Set-Cookie": "Set-Cookie: sid=<A32>; Path=/; HttpOnly",
    "X-Api-Key": "X-Api-Key: <A32>",
    "X-Auth-Token": "x-auth-token: <A32>",
    "Bearer alone": "sent Bearer <A40> to the API",
    "headers in JSON": '{"Authorization": "Bearer <A40>"}',
}
FILES = {
    ".npmrc": "//registry.example/:_authToken=<A36>",
    ".npmrc basic": "//registry.example/:_auth=<A40>",
    ".netrc": "machine h login app password <A20>",
    ".netrc, lines": "machine h\n  login app\n  password <A20>",
    ".pgpass": "db:5432:orders:app:<A20>",
    "my.cnf": "[client]\nuser=app\npassword=<A20>",
    "docker auth": '{"auths": {"r.example": {"auth": "<A40>"}}}',
    "kubeconfig token": "users:\n- name: u\n  user:\n    token: <A60>",
    "kubeconfig key": "    client-key-data: <B200>",
    ".NET": "Server=db;User Id=app;Password=<A20>;Encrypt=true",
    "Azure storage": "AccountName=x;AccountKey=<A86>==;",
    "Azure bus": "Endpoint=sb://x/;SharedAccessKeyName=n;SharedAccessKey=<A43>=",
    "WireGuard": "PrivateKey = <A43>=",
    "shadow": "app:$6$<A16>$<A86>:19000:0",
    "htpasswd": "app:$2y$10$<A53>",
    "argon2": "$argon2id$v=19$m=65536,t=3,p=4$<A22>$<A43>",
    "SQL": "ALTER USER app IDENTIFIED BY '<A20>'",
    "SQL, PostgreSQL": "CREATE ROLE app PASSWORD '<A20>'",
    "curl": "curl -u app:<A20> https://h",
    "option": "login --password <A20> --user app",
    "option, token": "kubeadm join h --token <a6>.<a16>",
    "Terraform": 'variable "db_password" = "<A20>"',
}
PEMS = ("RSA ", "EC ", "DSA ", "", "ENCRYPTED ", "OPENSSH ")


def kinds() -> list[Kind]:
    """Return every kind."""
    pem = "-----BEGIN {0}PRIVATE KEY{1}-----\n<B64>\n<B64>\n<B32>==\n-----END {0}PRIVATE KEY{1}-----"
    keys = {each.strip() or "PKCS #8": pem.format(each, "") for each in PEMS} | {
        "PGP": pem.format("PGP ", " BLOCK"),
        "encrypted, RSA": pem.format("RSA ", "").replace("<B64>", "Proc-Type: 4,ENCRYPTED\n\n<B64>", 1),
        "torn": pem.format("", "").partition("<B32>")[0],
        "in JSON": '{"k": "' + pem.format("", "").replace("\n", "\\n") + '"}',
        "PuTTY": "PuTTY-User-Key-File-3: ssh-ed25519\nPrivate-Lines: 1\n<B64>\nPrivate-MAC: <H8>",
    }
    named = {f"{name}, {how}": form.format(name) for name in NAMES for how, form in SYNTAXES.items()}
    groups = {
        "token": TOKENS,
        "named value": named,
        "address": ADDRESSES,
        "header": HEADERS,
        "file": FILES,
        "private key": keys,
    }
    return [Kind(group, name, form) for group, some in groups.items() for name, form in some.items()]


def _spaced(text: str) -> str:
    return " ".join(text)


ENCODINGS: dict[str, Callable[[str], str]] = {
    "as it is": lambda text: text,
    "Base64": lambda text: base64.b64encode(text.encode()).decode(),
    "Base64, in a text": lambda text: base64.urlsafe_b64encode(f"config: {text}\n".encode()).decode(),
    "percent": lambda text: "".join(c if c.isalnum() else f"%{ord(c):02X}" for c in text),
    "hex": lambda text: text.encode().hex(),
}
# What nobody promises to see: told beside the others.
BEYOND: dict[str, Callable[[str], str]] = {
    "reversed": lambda text: text[::-1],
    "a space between letters": _spaced,
    "Base32": lambda text: base64.b32encode(text.encode()).decode(),
    "Base85": lambda text: base64.b85encode(text.encode()).decode(),
    "UTF-16 in Base64": lambda text: base64.b64encode(text.encode("utf-16-le")).decode(),
    "each letter as \\x": lambda text: "".join(f"\\x{ord(c):02x}" for c in text),
    "letters moved by 13": lambda text: text.translate(
        str.maketrans(
            string.ascii_letters,
            string.ascii_lowercase[13:]
            + string.ascii_letters[:13]
            + string.ascii_uppercase[13:]
            + string.ascii_uppercase[:13],
        )
    ),
}


def said(random: Random, value: str) -> Iterator[tuple[str, str]]:
    """Yield the name of each form of *value*, and a text in which it stands."""
    data = value.encode()
    yield "as it is", f"it is {value}."
    yield "in JSON", json.dumps({"line": f"said {value}"})
    yield "in JSON in JSON", json.dumps(json.dumps({"line": value}))
    yield "in an address", f"https://h/x?q={quote(value, safe='')}&y=1"
    yield "in a form", f"q={quote_plus(value)}"
    yield "in HTML", f"<b>{html.escape(value)}</b>"
    yield "in hex", data.hex()
    for before in range(3):
        around = random.randbytes(before + 3 * random.randrange(4)), random.randbytes(random.randrange(4))
        yield f"in Base64, {before} bytes after a group", base64.b64encode(around[0] + data + around[1]).decode()
        yield "in Base64 for addresses", base64.urlsafe_b64encode(around[0] + data + around[1]).decode()
    yield "in Base64 in lines", base64.encodebytes(b"a text of some length before it, and then " + data).decode()
    yield "in a shell's quotes", "echo '" + value.replace("'", "'\\''") + "'"


def told(core: str, readings: str) -> bool:
    """Whether eight letters running of *core* can be read in *readings*."""
    return any(core[n : n + 8] in readings for n in range(len(core) - 7))


def readings(text: str) -> str:
    """Return *text* and all that it decodes to, for whoever looks for a secret in it."""
    return "\n".join(_read(text))


def _read(text: str) -> Iterator[str]:
    yield text
    yield re.sub(r"%([0-9A-Fa-f]{2})", lambda found: chr(int(found[1], 16)), text)
    yield text.replace("\\n", "\n").replace('\\"', '"')
    for run in re.findall(r"[A-Za-z0-9+/_-]{16,}", text):
        for start in range(4):
            some = run[start : start + (len(run) - start) // 4 * 4].replace("-", "+").replace("_", "/")
            yield base64.b64decode(some).decode("latin-1")
    for run in re.findall(r"[0-9a-fA-F]{16,}", text):
        yield bytes.fromhex(run[: len(run) // 2 * 2]).decode("latin-1")
