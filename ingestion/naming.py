"""dlt's naming convention for sources whose names are kept to the letter: quotes, spaces and dots too."""

from dlt.common.normalizers.naming.naming import NamingConvention as DltNamingConvention


class NamingConvention(DltNamingConvention):
    """Every name as it is; dlt's own `direct` turns quotes into underscores and strips spaces."""

    PATH_SEPARATOR = "\0"  # joins the parts of nested names, which there are none of

    @property
    def is_case_sensitive(self) -> bool:
        return True

    def normalize_identifier(self, identifier: str) -> str:
        return identifier
