"""The ``mailnode`` command of twistd; what it names is imported when it is chosen."""  # noqa: INP001 - twistd's folder, not ours

from twisted.application.service import ServiceMaker

mailnode = ServiceMaker("mailnode", "mailnode.service.maker", "A mail server.", "mailnode")
