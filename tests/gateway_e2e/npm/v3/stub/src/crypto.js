const unused = () => {
  throw new Error("a stub was called");
};

module.exports = {
  calculateMAC: unused,
  decrypt: unused,
  deriveSecrets: unused,
  encrypt: unused,
  hash: unused,
};
