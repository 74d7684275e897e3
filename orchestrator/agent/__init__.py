"""What runs in the user's interpreter: the standard library and the user's own pytest, nothing else.

The driver puts this folder alone on the import path, under the name `orchestrator_agent`, so that none of the
driver's packages can be seen from here. It is written for Python 3.10 and newer.
"""
