"""The queue: keeps trying what the spool keeps, until every recipient is done with or given up.

Words. A **lane** is a courier and a next hop: all that shares one host's fate. **Work** is a few recipients of one
message on one lane, in memory under a lease. An **attempt** is one request to a courier and what came of it. To
**settle** is to write down what came of it. A lane **rests** while its host is dead. **Suspended** is work of such a
lane that was put off without a try.

Rules, and their reasons:

* The spool is the truth. What is in memory is a copy under a lease and may be dropped at any instant; a crash costs
  a duplicate at worst.
* A new message goes to its lanes straight from memory. Nothing is read back unless the lanes are busy; then the message
  waits in the spool, where waiting costs no memory.
* A lane is trusted as far as it has shown itself: few attempts at once and little in memory at first, one more with each
  success (slow start). So a host that hangs holds little of what all lanes share.
* A dead host's lane rests, and the spool is told in one word (``postpone``), whether one recipient waits or a million.
  After the rest one attempt probes. When it fails, some of those who wait (``sweep``) are suspended: each gets its own
  next time, its delay warning and, at its end, its bounce. So all come by in turn, and the disk is never busy with the
  dead alone.
* The clock may be set back, at a start or under way. Then nothing is left to wait for as long as it jumped: what is due
  later than the longest wait of the timetable is due now, and no lease runs for longer than a new one would.
* An attempt ends before its lease does: the attempt's time limit is shorter than the lease, and work that waited in its
  lane for so long that the rest of its lease is shorter than that is given back instead of tried.
* What an operator holds or removes is recalled: all of it that waits in memory goes back to the spool untried. What is
  being tried is tried to its end, but of what was removed nobody is told.
* What its sender holds (FUTURERELEASE) is first due at its release, and whatever makes it due sooner sends it back. What is
  to be returned when late (DELIVERBY) is not tried after its time; ``deadlines`` looks at it then though its lane rests.
* What is urgent (MT-PRIORITY) stands further ahead in its lane's line, by a bounded number of places, and looks older to who claims
  from the spool: it goes first, and nothing waits for ever. A retry has its own time, whatever its priority.
* When the spool cannot write, nothing new is tried, and what was tried is kept and settled as soon as it can.

``settings`` and ``schedule`` are the timetable; ``lanes`` and ``load`` say what runs where and when, without doing it;
``attempt`` makes one attempt and settles it; ``runner`` is the queue itself. What an outcome means (a DSN, a bounce) is
not known here: the ``Settle`` function is given by the relay role.
"""
