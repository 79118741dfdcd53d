"""Who we are on the server, and how we prove it."""

from typing import Literal

from attrs import field, frozen

Login = Literal["none", "sasl", "nickserv", "server"]


@frozen
class Access:
    """One identity."""

    nick: str
    realname: str
    login: Login = "none"
    account: str = ""
    password: str = field(default="", repr=False)
