"""A helper reads a file."""

from parti import (
    System,
)

desk = System("desk")


def notes() -> str:
    with open("notes.txt") as file:
        return file.read()


@desk.every("1h")
async def poll() -> None:
    print(notes())
