"""What a change of the dbt project does to the marts: what it touches is built, in a copy of what was there before.

`make slim-ci` runs it, `.github/workflows/slim-ci.yml` on every pull request.
"""
