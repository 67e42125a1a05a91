"""Sources to landing to raw: the half of Tradewinds that knows where data comes from."""
