"""Authentication: who a client is, found out by SASL (RFC 4422, RFC 4954).

``SaslAuthority`` implements interfaces.Authority. A *mechanism* is a class whose object is one *exchange*: octets of the
client in, challenges out, until it knows the account or raises Refused. What proves an account is asked of *credentials*
(interfaces.Credentials): our own accounts (in their own room), or here a checker of twisted.cred, an LDAP server, PAM.
Tokens of OAuth are read here too.

Rules:

* Whoever fails hears 535 5.7.8 and nothing else: neither whether the account exists nor what was wrong. Unknown names cost
  as much time as wrong passwords.
* No password, token or response is ever logged, nor shown by a ``repr``.
* Every attempt goes through the ``Watch`` before anything is computed: it counts failures by client network, by account
  and network, and by account, delays the answer to a failure, and locks out. An attempt counts as failed until it has
  succeeded, so a thousand at once get no further than a thousand in a row; those beyond the limit wait for the ones before
  them, which is what lets a client with a good password open twenty sessions at once. A pair of account and network that
  was successful of late is not locked out for what others do.
* SCRAM is written here and not taken from a library: the one there is refuses the channel binding of TLS 1.3
  (tls-exporter, RFC 9266), without which -PLUS is of no use today. Names and passwords are prepared by SASLprep (RFC 4013).
* Mechanisms are offered under TLS unless a listener's settings say otherwise (that is the sessions' to keep). CRAM-MD5 alone
  needs none; it is for those who call for their mail (RFC 2645), with secrets of their own that open nothing else.
* Libraries that only some configurations need (PyJWT, python-ldap, pamela) are imported with the first use.
"""
