//! A real terminal, and everything hostile that can be sent to one: nothing of it arrives but as visible escapes.
