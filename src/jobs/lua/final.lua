-- The states that a job does not leave.
local FINAL = { succeeded = true, failed = true, cancelled = true, expired = true }
