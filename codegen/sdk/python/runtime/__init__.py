"""The hand-written half of a generated client: requests, retries, paging, streams, credentials and errors."""
