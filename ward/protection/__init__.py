"""Protection of data: encrypted backup and restore, and what one patient may ask for."""
