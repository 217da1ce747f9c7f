"""Azure's rules for names, as sets of characters, so that what satisfies several of them can be computed.

Source: Microsoft's "Naming rules and restrictions for Azure resources" and "Resolve reserved resource name errors".
"""

import functools
import string
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

LOWER = frozenset(string.ascii_lowercase)
LETTERS = frozenset(string.ascii_letters)
DIGITS = frozenset(string.digits)
_SETS = ((LETTERS, "letters"), (LOWER, "lower-case letters"), (DIGITS, "digits"))
_MARKS = {"-": "hyphens", "_": "underscores", ".": "dots", "(": "parentheses", ")": "parentheses"}
_SINGULAR = {"underscores": "an underscore", "parentheses": "a parenthesis"}


class ResourceKind(StrEnum):
    """What a gateway is made of in Azure."""

    RESOURCE_GROUP = "resource-group"
    DNS_LABEL = "dns-label"
    SCALE_SET = "scale-set"
    KEY_VAULT = "key-vault"
    STORAGE_ACCOUNT = "storage-account"
    PUBLIC_IP = "public-ip"
    LOAD_BALANCER = "load-balancer"
    VIRTUAL_NETWORK = "virtual-network"
    NETWORK_SECURITY_GROUP = "network-security-group"
    IDENTITY = "identity"


@dataclass(frozen=True, slots=True)
class NameRule:
    """What Azure takes as the name of one kind of resource.

    Attributes:
        title: the kind, as people call it.
        shortest: in characters.
        longest: in characters.
        characters: those that may stand anywhere.
        first: those that it may begin with.
        last: those that it may end with.
        doubled_hyphens: whether two hyphens may follow one another.
        unique: among what the name must be free.
    """

    title: str
    shortest: int
    longest: int
    characters: frozenset[str]
    first: frozenset[str]
    last: frozenset[str]
    doubled_hyphens: bool = True
    unique: str = "in the resource group"

    def problems(self, name: str) -> tuple[str, ...]:
        """What is wrong with ``name``, a sentence each; empty where Azure takes it."""
        found = []
        if not self.shortest <= len(name) <= self.longest:
            found.append(f"has {len(name)} characters; {self.title} takes {self.shortest} to {self.longest}")
        strange = sorted({character for character in name if character not in self.characters})
        if strange:
            shown = ", ".join(dict.fromkeys(_shown(character) for character in strange))
            found.append(f"holds {shown}; {self.title} takes only {describe(self.characters)}")
        elif name:
            if name[0] not in self.first:
                found.append(f"begins with {_shown(name[0])}; {self.title} begins with {_one_of(self.first)}")
            if name[-1] not in self.last:
                found.append(f"ends with {_shown(name[-1])}; {self.title} ends with {_one_of(self.last)}")
        if not self.doubled_hyphens and "--" in name:
            found.append(f"has two hyphens in a row, which {self.title} does not take")
        return tuple(found)

    def sentence(self) -> str:
        """The rule in words."""
        parts = [f"{self.shortest} to {self.longest} {describe(self.characters)}"]
        if self.first != self.characters:
            parts.append(_edge("begin", self.first, self.characters))
        if self.last not in (self.characters, self.first):
            parts.append(_edge("end", self.last, self.characters))
        if not self.doubled_hyphens and "-" in self.characters:
            parts.append("no two hyphens in a row")
        return "; ".join(parts)


def describe(characters: frozenset[str]) -> str:
    """A set of characters in words: "lower-case letters, digits and hyphens"."""
    words = _words(characters)
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _one_of(characters: frozenset[str]) -> str:
    """One character of a set in words: "a letter or a digit"."""
    words = [_SINGULAR.get(word) or f"a {word.removesuffix('s')}" for word in _words(characters)]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _edge(verb: str, allowed: frozenset[str], characters: frozenset[str]) -> str:
    """How a name begins or ends, said the shorter way."""
    refused = characters - allowed
    if len(_words(refused)) < len(_words(allowed)):
        return f"does not {verb} with {_one_of(refused)}"
    return f"{verb}s with {_one_of(allowed)}"


def _words(characters: frozenset[str]) -> list[str]:
    words: list[str] = []
    rest = set(characters)
    for members, word in _SETS:
        if members <= rest:
            words.append(word)
            rest -= members
    return words + sorted({_MARKS.get(character, character) for character in rest})


def _shown(character: str) -> str:
    if character in LETTERS:
        return "a capital letter" if character.isupper() else f'"{character}"'
    return {"-": "a hyphen", "_": "an underscore", ".": "a dot"}.get(character, f'"{character}"')


_HYPHENED = LETTERS | DIGITS | {"-"}
_NETWORK = LETTERS | DIGITS | frozenset("_.-")
_NETWORK_END = LETTERS | DIGITS | {"_"}

RULES: dict[ResourceKind, NameRule] = {
    ResourceKind.RESOURCE_GROUP: NameRule(
        "a resource group",
        1,
        90,
        LETTERS | DIGITS | frozenset("_().-"),
        LETTERS | DIGITS | frozenset("_().-"),
        LETTERS | DIGITS | frozenset("_()-"),
        unique="in the subscription",
    ),
    ResourceKind.DNS_LABEL: NameRule(
        "a DNS label", 3, 63, LOWER | DIGITS | {"-"}, LOWER, LOWER | DIGITS, unique="in the region, of all customers"
    ),
    ResourceKind.SCALE_SET: NameRule(
        "a scale set", 1, 64, _NETWORK, LETTERS | DIGITS, LETTERS | DIGITS, unique="in the resource group"
    ),
    ResourceKind.KEY_VAULT: NameRule(
        "a key vault",
        3,
        24,
        _HYPHENED,
        LETTERS,
        LETTERS | DIGITS,
        doubled_hyphens=False,
        unique="in all of Azure, deleted vaults included",
    ),
    ResourceKind.STORAGE_ACCOUNT: NameRule(
        "a storage account", 3, 24, LOWER | DIGITS, LOWER | DIGITS, LOWER | DIGITS, unique="in all of Azure"
    ),
    ResourceKind.PUBLIC_IP: NameRule("a public IP address", 1, 80, _NETWORK, LETTERS | DIGITS, _NETWORK_END),
    ResourceKind.LOAD_BALANCER: NameRule("a load balancer", 1, 80, _NETWORK, LETTERS | DIGITS, _NETWORK_END),
    ResourceKind.VIRTUAL_NETWORK: NameRule("a virtual network", 2, 64, _NETWORK, LETTERS | DIGITS, _NETWORK_END),
    ResourceKind.NETWORK_SECURITY_GROUP: NameRule(
        "a network security group", 1, 80, _NETWORK, LETTERS | DIGITS, _NETWORK_END
    ),
    ResourceKind.IDENTITY: NameRule(
        "a managed identity", 3, 128, _HYPHENED | {"_"}, LETTERS | DIGITS, LETTERS | DIGITS | frozenset("-_")
    ),
}

SHARED = (ResourceKind.DNS_LABEL, ResourceKind.SCALE_SET, ResourceKind.KEY_VAULT, ResourceKind.STORAGE_ACCOUNT)
"""Those that bear the deployment prefix itself."""


def intersection(rules: Iterable[NameRule], title: str) -> NameRule:
    """The rule of names that satisfy all ``rules``."""

    def both(one: NameRule, other: NameRule) -> NameRule:
        characters = one.characters & other.characters
        return NameRule(
            title,
            max(one.shortest, other.shortest),
            min(one.longest, other.longest),
            characters,
            one.first & other.first & characters,
            one.last & other.last & characters,
            doubled_hyphens=one.doubled_hyphens and other.doubled_hyphens,
            unique="in all of Azure",
        )

    return functools.reduce(both, rules)


PREFIX = intersection((RULES[kind] for kind in SHARED), "the deployment prefix")

_RESERVED_WORDS = (
    "access azure bing bizspark biztalk cortana directx dotnet dynamics excel exchange forefront groove hololens "
    "hyperv kinect lync msdn o365 office office365 onedrive onenote outlook powerpoint sharepoint skype visio "
    "visualstudio xbox"
)
_RESERVED = frozenset(_RESERVED_WORDS.split())
_RESERVED_WITHIN = ("microsoft", "windows")
_RESERVED_FIRST = ("login",)


def reserved(name: str) -> str | None:
    """Why Azure keeps ``name`` from names with a public endpoint, or None."""
    lowered = name.lower()
    if lowered in _RESERVED:
        return f'"{lowered}" is a reserved word'
    if within := next((word for word in _RESERVED_WITHIN if word in lowered), None):
        return f'no name with a public endpoint may hold the word "{within}"'
    if first := next((word for word in _RESERVED_FIRST if lowered.startswith(word)), None):
        return f'no name with a public endpoint may begin with "{first}"'
    return None


def prefix_problems(prefix: str) -> tuple[str, ...]:
    """Why ``prefix`` cannot be the deployment prefix: for each resource that bears it, what is wrong."""
    found = [problem for kind in SHARED for problem in RULES[kind].problems(prefix)]
    if word := reserved(prefix):
        found.append(word)
    return tuple(dict.fromkeys(found))


def suggest_prefix(text: str) -> str:
    """A deployment prefix out of any name: lower case, without what is not allowed, long enough and not too long."""
    kept = "".join(character for character in text.lower() if character in PREFIX.characters).lstrip(string.digits)
    kept = kept[: PREFIX.longest]
    if reserved(kept) or len(kept) < PREFIX.shortest:
        kept = f"cmg{kept}"[: PREFIX.longest]
    return "cmggateway" if reserved(kept) else kept
