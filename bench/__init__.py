"""The benchmark: Causeway beside its peers, on one machine, in one run (``docs/performance.md``).

Words: a *system* is one way from the device to the origin, with one or two *hops* (``edge``, ``connector``). A
*workload* is one kind of traffic. A *round* measures a workload once on each system, one system after the other, so
that what the machine does meanwhile falls on all of them alike.
"""
