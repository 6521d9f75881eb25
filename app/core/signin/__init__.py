"""Who is signed in where: sessions, what slows down guessing, the second factor. Screens are in core/fab."""
