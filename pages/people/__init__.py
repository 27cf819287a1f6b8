"""Who is at the app, what they may do, and how they sign in."""
