// A TLS peer made of Node's tls module: `peer.js server` or `peer.js client`, options as one JSON object. Prints one
// line of JSON for each connection.
'use strict';
const fs = require('fs');
const tls = require('tls');

const [role, json] = process.argv.slice(2);
const given = JSON.parse(json || '{}');
const read = (path) => (Array.isArray(path) ? path.map(read) : path ? fs.readFileSync(path) : undefined);
const options = {
  minVersion: given.version || 'TLSv1.3',
  maxVersion: given.version || 'TLSv1.3',
  cert: read(given.cert),
  key: read(given.key),
  ca: read(given.ca),
  ecdhCurve: given.groups || 'auto',
  ciphers: given.suites,
  dhparam: read(given.dh) || 'auto',
  ALPNProtocols: given.alpn,
};

if (given.method) {  // which says the versions by itself
  options.secureProtocol = given.method;
  delete options.minVersion;
  delete options.maxVersion;
}

if (given.psk) {
  const secret = Buffer.from(given.psk.key, 'hex');
  options.pskCallback = role === 'server'
    ? (socket, identity) => (identity === given.psk.identity ? secret : null)
    : () => ({ psk: secret, identity: given.psk.identity });
  options.checkServerIdentity = () => undefined;  // there may be no certificate
}

function describe(socket) {
  const peer = socket.getPeerCertificate();
  return {
    ok: true,
    version: socket.getProtocol(),
    suite: socket.getCipher().name,
    group: (socket.getEphemeralKeyInfo() || {}).name || '',  // null at a server
    alpn: socket.alpnProtocol || '',
    server_name: socket.servername || '',
    resumed: socket.isSessionReused(),
    peer: peer && peer.subject ? peer.subject.CN : '',
  };
}
const print = (report) => console.log(JSON.stringify(report));

if (role === 'server') {
  const server = tls.createServer({ ...options, requestCert: !!given.clientAuth, rejectUnauthorized: !!given.clientAuth,
    allowHalfOpen: true });
  server.on('secureConnection', (socket) => {
    const report = describe(socket);
    socket.on('data', (data) => socket.write(data));
    socket.on('end', () => { print(report); socket.end(); });
    socket.on('error', (error) => print({ ok: false, error: error.message }));
  });
  server.on('tlsClientError', (error) => print({ ok: false, error: error.message }));
  server.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`));
} else {
  // A connection with each suite, where there are several lists.
  const lists = Array.isArray(given.suites) ? given.suites : [given.suites];
  let session;
  const connect = (left) => {
    const ciphers = lists[(lists.length - left) % lists.length];
    const socket = tls.connect({ ...options, ciphers, host: '127.0.0.1', port: given.port, servername: 'localhost', session });
    let echo = '';
    let report;
    socket.on('secureConnect', () => { report = describe(socket); socket.write('over the wire\n'); });
    socket.on('session', (ticket) => { session = ticket; });
    socket.on('data', (data) => {
      echo += data;
      if (echo.endsWith('\n')) socket.end();
    });
    socket.on('error', (error) => { print({ ok: false, error: error.message, code: error.code }); process.exit(1); });
    socket.on('close', () => {
      print({ ...report, echo: echo.trim() });
      if (left > 1) connect(left - 1);
    });
  };
  connect(given.count || lists.length);
}
