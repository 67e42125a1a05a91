"""`tradewinds mcp`: a read-only server of the Model Context Protocol over what is published."""
