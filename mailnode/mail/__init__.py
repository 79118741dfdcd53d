"""The nouns of mail: values only, no I/O, no clock.

Everything here is immutable and comparable. Rooms above pass these values to one another; none of them adds a
dictionary of its own. Absence is a value wherever the protocol has one (the null reverse-path is ``NULL``, no
ENVID is ``""``).
"""
