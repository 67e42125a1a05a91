"""A dlt naming convention that keeps names unchanged, including quotes, spaces and dots."""

from dlt.common.normalizers.naming.naming import NamingConvention as DltNamingConvention


class NamingConvention(DltNamingConvention):
    """Names unchanged; dlt's `direct` turns quotes into underscores and strips spaces."""

    PATH_SEPARATOR = "\0"  # joins nested names, which don't occur here

    @property
    def is_case_sensitive(self) -> bool:
        return True

    def normalize_identifier(self, identifier: str) -> str:
        return identifier
