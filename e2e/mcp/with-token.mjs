// The conformance suite can send no token. Loaded before it, this adds the one in
// MCP_TOKEN to every request that it makes with fetch.
const plain = globalThis.fetch;
globalThis.fetch = (address, options = {}) => {
  const headers = new Headers(options.headers);
  headers.set("Authorization", "Bearer " + process.env.MCP_TOKEN);
  return plain(address, { ...options, headers });
};
