"""Texts with known personal data in them, made from a seed: what a detector is measured on. `python -m bench.pii_texts` writes them.

Nobody in them lives: names are put together, numbers are made up (those with a check digit have a right one).
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FILE: Final = Path(__file__).with_name("pii_texts.jsonl")
EACH: Final = 12
"""Texts of each kind."""

FIRST = ["Robert", "Emily", "James", "Laura", "Peter", "Susan", "Oliver", "Grace", "Henry", "Alice", "Martin", "Julia"]
LAST = [
    "Alder",
    "Whitfield",
    "Marsh",
    "Cole",
    "Bennett",
    "Doyle",
    "Hargreaves",
    "Price",
    "Lang",
    "Weber",
    "Novak",
    "Rossi",
]
ELSEWHERE = [
    "Nguyễn Thị Hoa", "Oluwaseun Adeyemi", "Wang Xiaoming", "Mehmet Yılmaz",  # noqa: RUF001 so he is called
    "Priya Raghunathan", "Иван Петров",
    "王小明", "Fatima al-Sayed", "Kwame Boateng", "Sión ap Rhys", "Þórunn Jónsdóttir", "Bình Trần",
]  # fmt: skip
TOWNS = [
    "Berlin",
    "Leeds",
    "Oslo",
    "Toledo",
    "Utrecht",
    "Boston",
    "Graz",
    "Vigo",
    "Kolding",
    "Bad Honnef",
    "Reading",
    "Split",
]
STREETS = [
    "12 High Street",
    "48 Mill Lane",
    "7 Station Road",
    "221b Baker Street",
    "Hauptstraße 14",
    "Rue de la Paix 3",
]

SENTENCES: Final = {
    "en": ["Please note {} for the file.", "We spoke about {} on the phone.", "The form says {}, as far as I can read it.",
           "It was {} who was meant, not the other one.", "Can you check {} again?", "fyi {}, thanks"],
    "de": ["Bitte {} in die Akte aufnehmen.", "Im Antrag steht {}, soweit lesbar."],
}  # fmt: skip

PLAIN: Final = [
    "The invoice of March is due within 30 days.", "Our Model X200 ships with firmware 4.12.7 in May.",
    "Order 4711 has three items of 19.90 each.", "Please restart the service before Monday.",
    "The committee will meet in room 12 at noon.", "Version 10.2 is faster than version 9.8 by a third.",
    "Customers asked for refunds twice as often in autumn.", "A Java update is needed for the report to run.",
    "The warranty covers parts and labour for two years.", "Ticket 20931 was closed as a duplicate of 20877.",
    "Returns go to the depot, with the slip inside.", "Die Lieferung kommt am Freitag, sagt das Lager.",
    "The Apache server was patched; Windows machines follow.", "Total: 1,204.50 after tax at 19 percent.",
    "Green tea and Earl Grey are out of stock.", "Serial 0049-3321-77 does not exist in the list.",
    "Kind regards from the service team", "Will the Paris release be stable by June?",
    "Mark the box if you agree.", "Hope is no plan, as they say in operations.",
]  # fmt: skip


@dataclass(frozen=True)
class Text:
    """A text, and the one piece of personal data in it ("" for none) with its kind."""

    kind: str
    text: str
    value: str


def texts(seed: int = 5) -> list[Text]:
    """Every text; the same for the same seed."""
    chance = random.Random(seed)
    found = []
    for kind, make in KINDS.items():
        for number in range(EACH):
            value = make(chance, number)
            language = "de" if number % 6 == 5 else "en"
            found.append(Text(kind, chance.choice(SENTENCES[language]).format(value), value))
    return [*found, *(Text("", text, "") for text in PLAIN)]


def _digits(chance: random.Random, count: int) -> str:
    return "".join(chance.choice("0123456789") for _ in range(count))


def _iban(chance: random.Random) -> str:
    """ISO 13616: the check digits make the whole, moved and as digits, 1 modulo 97."""
    account = _digits(chance, 18)
    return f"DE{98 - int(f'{account}131400') % 97:02d}{account}"


def _card(chance: random.Random) -> str:
    """ISO/IEC 7812-1: the last digit makes the sum by Luhn a multiple of ten."""
    body = f"4{_digits(chance, 14)}"
    total = sum(sum(divmod(int(digit) * (2 if at % 2 == 0 else 1), 10)) for at, digit in enumerate(body))
    return f"{body}{-total % 10}"


def _grouped(text: str) -> str:
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def _name(chance: random.Random) -> str:
    return f"{chance.choice(FIRST)} {chance.choice(LAST)}"


KINDS: Final[dict[str, Callable[[random.Random, int], str]]] = {
    "full name, English or German": lambda chance, _: _name(chance),
    "first name alone": lambda chance, _: chance.choice(FIRST),
    "name from elsewhere": lambda _, number: ELSEWHERE[number],
    "name in small letters": lambda chance, _: _name(chance).lower(),
    "mail address": lambda chance, _: f"{_name(chance).lower().replace(' ', '.')}@example.org",
    "telephone, with country": lambda chance, _: f"+49 {_digits(chance, 3)} {_digits(chance, 7)}",
    "telephone, without": lambda chance, _: f"0{_digits(chance, 3)} {_digits(chance, 6)}",
    "IBAN": lambda chance, _: _iban(chance),
    "IBAN in groups": lambda chance, _: _grouped(_iban(chance)),
    "card number": lambda chance, number: _grouped(_card(chance)) if number % 2 else _card(chance),
    "IP address": lambda chance, _: ".".join(str(chance.randint(1, 254)) for _ in range(4)),
    "US social security number": lambda chance, _: (
        f"{chance.randint(100, 665)}-{chance.randint(10, 99)}-{chance.randint(1000, 9999)}"
    ),
    "town": lambda _, number: TOWNS[number],
    "street and number": lambda chance, _: chance.choice(STREETS),
    "date of birth": lambda chance, _: f"{chance.randint(1, 28)} May {chance.randint(1940, 2005)}",
    "German tax number": lambda chance, _: f"{chance.randint(1, 9)}{_digits(chance, 10)}",
    "number plate": lambda chance, _: f"K-{chance.choice('ABC')}{chance.choice('XYZ')} {chance.randint(100, 9999)}",
}


def main() -> None:
    """Write them beside this file."""
    lines = [
        json.dumps({"kind": one.kind, "text": one.text, "value": one.value}, ensure_ascii=False) for one in texts()
    ]
    FILE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
