"""Reading single files out of file system images, without mounting them."""
