const unused = () => {
  throw new Error("a stub was called");
};

module.exports = {
  calculateAgreement: unused,
  calculateSignature: unused,
  createKeyPair: unused,
  generateKeyPair: unused,
  verifySignature: unused,
};
