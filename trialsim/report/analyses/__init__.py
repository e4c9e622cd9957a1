"""The pages of the analyses. One module a kind, named after it, with one function::

    def page(saved: Saved) -> Page

It reads what the run saved, and computes nothing that the run should have computed.
"""
