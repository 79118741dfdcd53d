"""Settings of authentication: which mechanisms, who knows the passwords, and what guessing leads to."""

from typing import Literal

from attrs import Factory, frozen

from mailnode.mail.quantity import Seconds

Mechanism = Literal[
    "SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "OAUTHBEARER", "XOAUTH2", "EXTERNAL", "PLAIN", "LOGIN"
]  # fmt: skip


@frozen
class OAuthSettings:
    """Whose tokens are believed (RFC 7628); without introspection_url, keys or keys_url there are no such mechanisms."""

    introspection_url: str = ""
    """Where the issuer is asked about each token (RFC 7662); empty: tokens are read as signed JWTs."""
    client_id: str = ""
    """The name under which introspection is asked for."""
    client_secret_file: str = ""
    """A file with the secret that goes with it."""
    keys: str = ""
    """A file with the keys that tokens are signed with: a JWK set, or one public key in PEM."""
    keys_url: str = ""
    """Where the issuer shows its JWK set, if not in a file."""
    keys_refresh: Seconds = Seconds(3600)
    """How long a JWK set from keys_url is used before it is asked for again."""
    algorithms: tuple[str, ...] = ("RS256", "ES256", "PS256", "EdDSA")
    """Signature algorithms that count; never one that needs a shared secret."""
    issuer: str = ""
    """What a token's iss must be; empty: not looked at."""
    audience: str = ""
    """What must stand in a token's aud; empty: not looked at."""
    scope: str = ""
    """A scope that a token must have; empty: none."""
    claim: str = "email"
    """The claim that names the account."""
    discovery_url: str = ""
    """Where clients that fail are told to look for the issuer's openid-configuration."""
    cache: Seconds = Seconds(60)
    """How long a token that was found good is not looked at again; never beyond its own end."""
    timeout: Seconds = Seconds(10)
    """How long the issuer may take to answer."""


@frozen
class LdapSettings:
    """Where source = "ldap" asks; a password is good when its owner can bind with it."""

    url: str = "ldap://127.0.0.1"
    """The server: ldap://, ldaps:// or ldapi://."""
    start_tls: bool = False
    """Turn ldap:// into TLS before anything is said."""
    ca_file: str = ""
    """A PEM file with the authorities that may vouch for the server; empty: the system's."""
    bind_dn: str = ""
    """Who searches; empty: nobody in particular."""
    bind_password_file: str = ""
    """A file with that one's password."""
    base: str = ""
    """Where users are searched."""
    filter: str = "(&(objectClass=inetOrgPerson)(mail={address}))"
    """How a user is found; {address}, {user} and {domain} stand for the account's parts."""
    timeout: Seconds = Seconds(5)
    """How long the server may take for each thing."""


@frozen
class AuthSettings:
    """Who may log in, and how."""

    source: str = "accounts"
    """Who knows the passwords: accounts (mailnode account), ldap, pam, or "package.module:Class", a twisted.cred checker."""
    mechanisms: tuple[Mechanism, ...] = (
        "SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "OAUTHBEARER", "XOAUTH2", "EXTERNAL", "PLAIN", "LOGIN",
    )  # fmt: skip
    """What is offered, as far as it is possible, best first."""
    domain: str = ""
    """The domain of names without one; empty: only full addresses are names."""
    checks_at_once: int = 2
    """Passwords checked at the same time; each needs 19 MiB and a moment of one core."""
    remember: Seconds = Seconds(300)
    """How long a password that was found good is not computed again; "0s": it always is."""
    window: Seconds = Seconds(600)
    """The time in which failures are counted; they are forgotten little by little."""
    client_failures: int = 30
    """Failures in that time from one network (an IPv4 address, 64 bits of IPv6) outside the trusted ones; then 421."""
    account_failures: int = 10
    """Failures for one account from one network; then 454 for that pair."""
    account_failures_everywhere: int = 200
    """Failures for one account from all networks; then 454 for every network that it has not logged in from of late."""
    delay: Seconds = Seconds(1)
    """How long the answer to a first failure waits; twice as long for each further one from the network."""
    max_delay: Seconds = Seconds(15)
    """How long such an answer waits at most."""
    tracked: int = 20_000
    """Networks, accounts and pairs of both that are remembered, each; the oldest are forgotten first."""
    pam_service: str = "mailnode"
    """The file in /etc/pam.d that source = "pam" goes by."""
    oauth: OAuthSettings = Factory(OAuthSettings)
    ldap: LdapSettings = Factory(LdapSettings)
