"""A key stands in an error that nobody catches, and errors are journaled."""

from typing import Annotated

from pydantic import BaseModel

from parti import Label, System

desk = System("desk")


class Login(BaseModel):
    id: str
    key: Annotated[str, Label.SECRET]


@desk.post("/logins", key="login.id")
async def enter(login: Login) -> str:
    if not login.id:
        raise RuntimeError(f"no login by {login.key}")
    return login.id
