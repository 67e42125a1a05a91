"""A project of one's own: the machinery without the sources and marts of this one."""
