#!/usr/bin/env bash
# How the files beside this script were made, with openssl 3: an authority that nobody trusts, and a server that it vouches
# for, at 127.0.0.1, for a hundred years. The key protects nothing: it is here for everybody to read.
set -euo pipefail
cd "$(dirname "$0")"
for name in authority server; do openssl ecparam -name prime256v1 -genkey -noout -out $name.key; done
openssl req -x509 -new -key authority.key -sha256 -days 36500 -subj "/CN=unshell tests, trust nothing of it" \
  -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign" -out authority.pem
openssl req -new -key server.key -subj "/CN=127.0.0.1" -out server.csr
printf 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n' >server.ext
openssl x509 -req -in server.csr -CA authority.pem -CAkey authority.key -CAcreateserial -sha256 -days 36500 \
  -extfile server.ext -out server.pem
openssl pkcs8 -topk8 -nocrypt -in server.key -out server.pk8 && mv server.pk8 server.key
rm -f authority.key authority.srl server.csr server.ext
