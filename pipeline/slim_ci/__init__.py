"""Show a dbt change's effect on the marts: build what it touches in a copy of the warehouse before it.

`make slim-ci` runs it, `.github/workflows/slim-ci.yml` on every pull request.
"""
