"""
What a secret looks like when nobody told us its value: vendors' tokens, keys, addresses with a password, named values.

Each shape has *needles*: plain words of which one must be in the text before its pattern is tried, because looking for
a word is a hundred times quicker. A pattern never repeats a repetition, gives nothing back where it could try again
(`*+`), and begins only where a run of its letters begins; so each takes time in proportion to the text.

A pattern's first group, where it has one, is kept: `password=` stays and its value goes.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

# Words that a name ends with when its value is a secret, in any case and with any of `-`, `_` or nothing between.
WORDS = (
    r"passwords?|passwd|passphrase|passcode|pwd|[-_.]pass|secrets?"
    r"|(?<!next)(?<!page)(?<!next[-_])(?<!page[-_])(?<!continue)(?<!continuation)token"  # not where a list goes on
    r"|credentials?|authorization|cookie|session[-_]?id"
    r"|(?:api|access|private|secret|signing|encryption|account|shared|shared[-_]?access|master|license|auth|deploy|admin"
    r"|write|ingest|integration|service|storage|webhook|application|app|jwt|hmac)[-_ ]?keys?"
    r"|secret[-_]?access[-_]?key|key[-_]data|[-_]auth|connection[-_]?string|webhook[-_]?secret|[-_]pat|otp|seed[-_]?phrase"
)
_NAME = re.compile(rf"(?i:(?:{WORDS}|^auth|^pass)$)|(?<=[A-Z0-9])_KEY$")
# Names that end like a secret's and are none: what is public, or marks a thing.
_NO_NAME = re.compile(r"(?:PUBLIC|PRIMARY|FOREIGN|IDEMPOTENCY|CACHE|SORT|PARTITION|ROUTING|OBJECT|GROUP)_KEY$")

# Beginnings that vendors give their tokens so that they can be found. After the first kind only letters and digits
# follow; after the second also what is in Base64 and between words.
_PLAIN = """
ghp_ gho_ ghu_ ghs_ ghr_ sk_live_ sk_test_ rk_live_ rk_test_ npm_ rubygems_ hf_ lin_api_ sbp_ shpat_ shpca_
shppa_ shpss_ dop_v1_ doo_v1_ dor_v1_ NRAK- key- dapi AKCp EZAK ATBB CLOJARS_ secret_ ntn_ FLWSECK- EAAA
AAAAA bkua_ sgp_ phx_ phc_ ATCTT3 ctp_ tfp_ gsk_ xai- r8_ nvapi- pplx- re_ lip_ ddp_
"""
_MIXED = """
github_pat_ glpat- gldt- glrt- glcbt- glptt- glft- glsoat- glimt- glagent- gloas- xoxa- xoxb- xoxe- xoxo-
xoxp- xoxr- xoxs- xapp- xoxe.xoxp- pypi- sk-ant- sk-proj- sk-svcacct- sk-or- dckr_pat_ dckr_oat_ glsa_ glc_
hvs. hvb. hvr. whsec_ ya29. GOCSPX- PMAK- pul- pscale_tkn_ pscale_oauth_ pscale_pw_ dp.pt. dp.st. dp.ct.
sntrys_ sntryu_ HRKU- ATATT3 CCIPAT_ tskey- ops_ figd_ sq0atp- sq0csp- AIza APA91b fm2_ fo1_ AGE-SECRET-KEY-1
rdme_ v1.0- ABSK crates. eyJrIjoi sbf_ sqp_ sqa_ squ_ amzn.mws. FwoGZXIvYXdz IQoJb3JpZ2lu cfut_ cfk_ v2.local.
v4.local. MTA. EAACEdEose0cBA
"""


@dataclass(frozen=True, slots=True)
class Shape:
    """One kind of secret. `needles` are in lower case; none means that the pattern is always tried."""

    kind: str
    needles: tuple[str, ...]
    pattern: re.Pattern[str]

    def replaced(self, text: str, lowered: str, by: str) -> str:
        """Return *text*, of which *lowered* is the lower case, with what has this shape replaced by *by*."""
        for needle in self.needles:
            if needle in lowered:
                return self.pattern.sub(rf"\g<kept>{by}" if "kept" in self.pattern.groupindex else by, text)
        return text


def _shape(kind: str, needles: str, pattern: str) -> Shape:
    return Shape(kind, tuple(needles.split()), re.compile(pattern))


def _beginnings(kind: str, beginnings: list[str], rest: str) -> Shape:
    words = "|".join(map(re.escape, beginnings))
    return Shape(kind, tuple(each.lower() for each in beginnings), re.compile(rf"(?<![A-Za-z0-9_])(?:{words}){rest}"))


# What may stand between a name and its value: `=`, `: `, `":"`, the same once more escaped, `=>`.
_SEP = r"[\"'\\]{0,4}\]?\s{0,8}(?:=>|:=|[=:])\s{0,8}+"
_NOTHING = r"(?!\[redacted\]|\$[\{\(]|\{\{|<|(?i:null|none|true|false|nil|undefined)\b)"
_OPENS = r"(?P<quote>\\{0,3}[\"'])?"
_VALUE = _NOTHING + r"(?(quote)(?:(?!(?P=quote))(?:\\.|[^\n]))++|[^\s,;\"'&\\]{4,}+)"
_NEEDLES = (
    "pass pwd secret token credential authorization cookie session key _auth -auth .auth connection _pat -pat otp seed"
)

SHAPES = (
    _shape("private key", "private", (
        r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:[^-]|-(?!----)){0,65536}+"
        r"(?:-----END [A-Z0-9 ]{0,50}-----)?"
        r"|---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----(?:[^-]|-(?!---)){0,65536}+"
        r"|Private-Lines: \d{1,4}(?:(?:\s|\\[nr]){1,4}+[A-Za-z0-9+/=]{8,}+)*+"
    )),
    _shape("header", "authorization cookie x-api-key x-auth", (
        r"(?P<kept>(?i:\b(?:proxy-)?authorization|\b(?:set-)?cookie|\bx-(?:api-key|auth-token|auth))[\"']?\s{0,4}[:=]\s{0,4}+[\"']?)"
        r"(?!\[redacted\])[^\n\"']{4,}+"
    )),
    _shape("address with a password", "://", r"(?<=://)[^\s/:@\"'<>]*+:[^\s/@\"'<>]++(?=@)|(?<=://)[A-Za-z0-9_.-]{20,}+(?=@)"),
    _shape("address with a password", "oracle:thin:", r"(?P<kept>(?i:oracle:thin:)[^\s/@:]{1,60}/)[^\s@]++(?=@)"),
    _shape("address that is a secret", "hooks.slack.com webhook.office.com discord", (
        r"(?P<kept>https://(?:hooks\.slack\.com/(?:services|workflows|triggers)/|[a-z0-9-]{0,60}\.?webhook\.office\.com/"
        r"|(?:[a-z]{1,12}\.)?discord(?:app)?\.com/api/webhooks/))[A-Za-z0-9_/@.%-]{16,}+"
    )),
    _shape("signed address", "sig= signature=", (
        r"(?P<kept>(?i:[?&](?:sig|x-amz-signature|x-goog-signature|signature)=))[A-Za-z0-9%+/=_-]{16,}+"
    )),
    _shape("bearer", "bearer", r"(?P<kept>(?i:\bbearer)[\s:]{1,4}+)(?=[^\s\d]*+[\d=])[A-Za-z0-9._~+/=-]{12,}+"),
    _shape("basic", "basic", r"(?P<kept>(?i:\bbasic)\s{1,4}+)(?=[A-Za-z+/]*+[\d=])[A-Za-z0-9+/=]{12,}+"),
    _shape("web token", "eyj", r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,}+(?:\.[A-Za-z0-9_-]*+){2,4}"),
    _shape("cloud key", "akia asia abia acca", r"(?<![A-Za-z0-9])(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])"),
    _shape("cloud key", "q~", r"(?<![A-Za-z0-9_~.-])[A-Za-z0-9_~.-]{3}\dQ~[A-Za-z0-9_~.-]{31,34}(?![A-Za-z0-9_~.-])"),
    _beginnings("token", _PLAIN.split(), r"[A-Za-z0-9]{18,}+(?![A-Za-z0-9_])"),
    _beginnings("token", _MIXED.split(), r"[A-Za-z0-9_.=~+/-]{18,}+"),
    _shape("token", "sk- pk-", r"(?<![A-Za-z0-9_-])[sp]k-(?=[A-Za-z_-]*+\d)[A-Za-z0-9_-]{20,}+"),
    _shape("token", "sk", r"(?<![A-Za-z0-9])SK[0-9a-f]{32}(?![A-Za-z0-9])"),
    _shape("token", "sg.", r"(?<![A-Za-z0-9_])SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{16,64}"),
    _shape("token", ":aa", r"(?<![A-Za-z0-9])(?P<kept>(?:bot)?\d{8,10}:)AA[A-Za-z0-9_-]{32,34}(?![A-Za-z0-9_-])"),
    _shape("token", ".atlasv1.", r"(?<![A-Za-z0-9])[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_-]{40,80}"),
    _shape("password's hash", "$2 $5$ $6$ $y$ $argon2 $apr1$ $pbkdf2 $scrypt {ssha", (
        r"(?<![A-Za-z0-9])\$(?:2[abxy]|5|6|y|apr1|argon2(?:id|i|d)|pbkdf2[a-z0-9-]{0,12}|scrypt)\$[^\s:\"']{16,}+"
        r"|\{SSHA(?:256|512)?\}[A-Za-z0-9+/=]{20,}+"
    )),
    _shape("named value", _NEEDLES, (
        rf"(?P<kept>(?:(?i:{WORDS}|\bpass(?=\s?=))|(?<=[A-Z0-9])_KEY){_SEP}{_OPENS}){_VALUE}"
    )),
    _shape("named value", "auth", r"(?P<kept>\bauth\\{0,3}[\"']\s{0,4}:\s{0,4}\\{0,3}[\"'])[A-Za-z0-9+/=]{12,}+"),
    _shape("value of a pair", "value", (
        rf"(?P<kept>(?i:\bname[\"']?\s{{0,4}}[:=]\s{{0,4}}[\"']?[A-Za-z0-9_.-]{{0,60}}?(?:{WORDS}|(?<=[A-Z0-9])_KEY))[\"']?,?"
        rf"(?:\s|\\[nrt]){{1,40}}[\"']?(?i:value)[\"']?\s{{0,4}}[:=]\s{{0,4}}{_OPENS}){_VALUE}"
    )),
    _shape("option", "--", rf"(?P<kept>(?<![\w-])--[a-z-]{{0,30}}?(?:{WORDS})\s{{1,4}}{_OPENS})(?!-){_VALUE}"),
    _shape("option", "-u --user", r"(?P<kept>(?<!\S)(?:-u|--user)[ =][\"']?[^\s:\"']{1,60}:)[^\s\"']{4,}+"),
    _shape("statement", "identified password", r"(?P<kept>(?i:\bidentified\s{1,4}by|\bpassword)\s{1,4})'[^'\n]{4,}+'"),
    _shape("login", "login", r"(?P<kept>\blogin\s{1,8}[^\s\\]{1,80}(?:\s|\\[nrt]){1,8}password\s{1,8})[^\s\\]{4,}+"),
    _shape("login", ":5432: :3306: :6432: :*:", (
        r"(?P<kept>(?<!\S)[^\s:]{1,120}:(?:5432|3306|6432|\*):[^\s:]{1,80}:[^\s:]{1,80}:)\S{4,}+"
    )),
)  # fmt: skip


@lru_cache(4096)  # a record says the same names again and again
def says_secret(name: str) -> bool:
    """Whether what is called *name* (a key, a variable, a header) is a secret by its name alone."""
    return bool(_NAME.search(name)) and not _NO_NAME.search(name)
