"""Certificates: what we show of ourselves in TLS, and what we make of what a client shows.

A ``Showcase`` (one for each process) reads certificates and private keys from PEM files into ``Pair`` values, watches the
files, and makes a ``Showcard`` for each listener: the OpenSSL contexts of now. Which of several certificates a client
sees is chosen by the name it asks for (SNI, RFC 6066 section 3), among the names that stand in the certificates
themselves (subjectAltName): an exact name goes before a wildcard, and without a match the first certificate is shown,
since a client that cannot verify our name may still be content with an encrypted channel.

``outgoing`` is the other direction: TLS towards next hops, and what their certificates are worth.

Rules of this room:

* ``policy`` says which versions and ciphers are spoken, in both directions; nobody else sets an option of OpenSSL.
* A pair that is faulty never replaces one that works: what was good is kept, and the log says what is wrong.
* Files are read on a thread. A key is read before the process gives up root, and stays in memory.
* OpenSSL is imported by those modules of this room that need it, and these are imported only where TLS is configured.
"""
