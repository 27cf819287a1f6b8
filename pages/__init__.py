"""The screens of the app; Streamlit is imported here and in `app.py` alone."""
