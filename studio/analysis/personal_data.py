"""Personal data in a text: addresses, numbers of phones, cards and accounts, checked where they can be."""
# ruff: noqa: E501 (patterns and sentences read better unbroken)

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?P<host>[\w-]{1,63}(?:\.[\w-]{1,63}){1,4})(?!\w)")
_IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]{2,4}){3,8}(?!\w)")
_CARD = re.compile(r"(?<![\w-])\d(?:[ -]?\d){12,18}(?![\w-])")
_PHONE = re.compile(
    r"(?<![\w.,-])(?:\+\d{1,3}[ .-]?)?(?:\(\d{1,5}\)[ .-]?)?\d{2,5}(?:[ .-]\d{2,8}){1,4}(?![\w%-])"
)
_DATE = re.compile(
    r"^(?:\d{4}[-.]\d{1,2}[-.]\d{1,2}|\d{1,2}[-.]\d{1,2}[-.]\d{2,4}|(?:19|20)\d\d[ -](?:19|20)\d\d)$"
)
_SSN = re.compile(r"(?<![\w-])(?!000|666|9)\d{3}-(?!00)\d\d-(?!0000)\d{4}(?![\w-])")
_MONTH = r"(?:[Jj]an|[Ff]eb|[Mm]ar|[Mm]är|[Aa]pr|[Mm]a[iy]|[Jj]un|[Jj]ul|[Aa]ug|[Ss]ep|[Oo][ck]t|[Nn]ov|[Dd]e[cz])[a-z]*\.?"
_BORN = re.compile(
    r"(?<!\w)[A-ZÄÖÜ][\w'’-]{1,30}(?: [A-ZÄÖÜ][\w'’.-]{0,30}){1,3},? ?\(?"
    r"(?:who was |was )?(?:born(?: on)?|b\.|DOB:?|[Dd]ate of birth:?|geb\.|geboren(?: am)?)\s{0,2}"
    rf"(?:\d{{1,2}}[./-]\d{{1,2}}[./-]\d{{2,4}}|\d{{4}}-\d\d-\d\d|\d{{1,2}}(?:st|nd|rd|th|\.)? (?:of )?{_MONTH},? \d{{4}}|"
    rf"{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? \d{{4}})\)?"
)
_STREET = re.compile(
    r"(?<![\w.,-])\d{1,5}[A-Za-z]?,? (?:[NSEW]\. ?)?[A-Z][a-z'’]{1,30}(?: [A-Z][a-z'’]{1,30}){0,2} "
    r"(?:(?:Street|Avenue|Ave\.|Road|Rd\.|Lane|Boulevard|Blvd\.?)(?!\w)(?! [A-Z])|"
    r"(?:St|Drive|Court|Square|Terrace|Place|Close|Crescent)\b\.?(?=\s*(?:[,;)\n]|$)))"
    r"|(?<![\w-])[A-ZÄÖÜ][a-zäöüß-]{1,30}(?:straße|strasse|str\.|allee|gasse) \d{1,4} ?[a-z]?(?!\w)"
    r"(?:,? \d{5} [A-ZÄÖÜ][\wäöüß-]{1,30})?"
    r"|(?<![\w-])[A-ZÄÖÜ][a-zäöüß-]{1,30}(?:weg|platz|ring|damm|ufer) \d{1,4} ?[a-z]?,? \d{5} [A-ZÄÖÜ][\wäöüß-]{1,30}"
)
_EXAMPLE_HOSTS = re.compile(
    r"(?:^|\.)(?:example(?:\.(?:com|org|net|edu))?|test|invalid|localhost)$", re.I
)


@dataclass(frozen=True, slots=True)
class Personal:
    """One piece of personal data.

    Attributes:
        kind: "email", "iban", "card", "ssn", "phone", "person" (a name with a birth date) or
            "address".
        start, end: Where it stands.
    """

    kind: str
    start: int
    end: int


def find_personal(text: str) -> list[Personal]:
    """Return the personal data in a text, in order; what fails its check digit is none.

    >>> text = "Ask jo@acme.de or +49 30 1234567, card 4111 1111 1111 1111."
    >>> [(p.kind, text[p.start : p.end]) for p in find_personal(text)]
    [('email', 'jo@acme.de'), ('phone', '+49 30 1234567'), ('card', '4111 1111 1111 1111')]
    >>> text = "Jo Ray (born 3.4.1975), 12 Main Street, has number 078-05-1120."
    >>> [(p.kind, text[p.start : p.end]) for p in find_personal(text)]
    [('person', 'Jo Ray (born 3.4.1975)'), ('address', '12 Main Street'), ('ssn', '078-05-1120')]
    >>> find_personal("mail me@example.com on 2024-01-02, order 4111 1111 1111 1112, 10 000 000")
    []
    """
    found: list[Personal] = []
    for one in _candidates(text):
        if not any(p.start < one.end and one.start < p.end for p in found):
            found.append(one)
    return sorted(found, key=lambda p: p.start)


def _candidates(text: str) -> Iterator[Personal]:
    for m in _EMAIL.finditer(text):
        if not _EXAMPLE_HOSTS.search(m["host"]):
            yield Personal("email", *m.span())
    for m in _IBAN.finditer(text):
        if is_iban(m[0]):
            yield Personal("iban", *m.span())
    for m in _CARD.finditer(text):
        if is_card(m[0]):
            yield Personal("card", *m.span())
    for kind, pattern in (("ssn", _SSN), ("person", _BORN), ("address", _STREET)):
        yield from (Personal(kind, *m.span()) for m in pattern.finditer(text))
    yield from _phones(text)


def _phones(text: str) -> Iterator[Personal]:
    for m in _PHONE.finditer(text):
        digits = re.sub(r"\D", "", m[0])
        is_marked = m[0][0] in "+(0"
        is_three = bool(re.fullmatch(r"\d{3}[-.]\d{3}[-.]\d{4}", m[0]))
        if 9 <= len(digits) <= 15 and (is_marked or is_three) and not _DATE.match(m[0]):
            yield Personal("phone", *m.span())


def is_card(number: str) -> bool:
    """Return whether a number has the check digit of a payment card (Luhn).

    >>> is_card("4111 1111 1111 1111"), is_card("4111 1111 1111 1112"), is_card("0000000000000000")
    (True, False, False)
    """
    digits = [int(c) for c in number if c.isdigit()]
    if not 13 <= len(digits) <= 19 or len(set(digits)) == 1:
        return False
    doubled = [d if i % 2 == 0 else sum(divmod(2 * d, 10)) for i, d in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0


def is_iban(text: str) -> bool:
    """Return whether a text has the check digits of a bank account (ISO 7064, mod 97).

    >>> is_iban("DE89 3704 0044 0532 0130 00"), is_iban("DE88 3704 0044 0532 0130 00")
    (True, False)
    """
    bare = text.replace(" ", "").upper()
    if not 15 <= len(bare) <= 34:
        return False
    return int("".join(str(int(c, 36)) for c in bare[4:] + bare[:4])) % 97 == 1
