"""Policy: rules that hold across messages, and what they remember.

``rates`` bounds how much somebody may do in a time. It is the generic cell rate algorithm: for each key one number is kept,
the moment at which all that was done would have been done at an even pace. A key may run ahead of that pace by one whole
period, so a limit of 100 an hour may be used up at once, and then comes back one by one. Nothing is counted in windows that
end, so no moment is a better one to begin than another.

Memory is bounded: who has not been seen for the longest is forgotten first, which is to their good. Nothing outlives a restart:
at worst a limit is granted once more, and no file is needed to count. Each worker counts for itself and has its part of the
limit (``share_of``), since the system spreads connections evenly over them.
"""
