// Loaded first: what runs here speaks to this machine and to nobody else.
import net from "node:net";

const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (...given) {
  const options = Array.isArray(given[0]) ? given[0][0] : given[0];
  const host = options?.host ?? "localhost";
  if (!["localhost", "127.0.0.1", "::1"].includes(host)) {
    throw new Error(`${host} is not this machine`);
  }
  return connect.apply(this, given);
};
