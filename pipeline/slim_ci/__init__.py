"""What a change of the dbt project does to the marts: only what it touches is built, in a copy of what stands before it.

`make slim-ci` runs it, `.github/workflows/slim-ci.yml` on every pull request.
"""
