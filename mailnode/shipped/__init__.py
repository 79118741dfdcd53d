"""The gateways that come with mailnode: one file or one folder each, registered in pyproject as entry points.

They see only ``mailnode.gateways.api``, like anybody's gateway. Libraries they need are imported within their methods,
named in ``needs``, and are an extra of the package; so a node pays for none it does not use.

What several of them need lies here beside them: ``forms`` (a message as JSON, and back), and for those that speak with a
broker ``broker``, ``naming`` and ``intake``; ``keeping`` (a connection that is made anew), ``running`` (a source's coroutines).
What any gateway may need belongs to ``mailnode.gateways`` instead.
"""
