"""Images, compose and chart, held against rules: containers and a cluster can't be run where these tests are."""
