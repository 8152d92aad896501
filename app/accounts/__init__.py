"""WHO: users, accounts, sessions, what they may do, and the record of what they did."""
