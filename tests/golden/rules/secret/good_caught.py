"""An error names the login, and the one that names the key is caught."""

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
        raise RuntimeError(f"no login {login.id}")
    try:
        raise ValueError(login.key)
    except ValueError:
        pass
    return login.id
