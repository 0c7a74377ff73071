"""The app in a browser: a small server on loopback, and one process of the app for each open tab."""
