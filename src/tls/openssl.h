// What the files of this folder share: owners of OpenSSL's objects, and its reasons as text.
// Included by this folder only.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/unique_handle.h"

namespace heliograph::tls {

using UniqueX509 = base::UniqueHandle<X509, X509_free>;
using UniqueKey = base::UniqueHandle<EVP_PKEY, EVP_PKEY_free>;
using UniqueSslContext = base::UniqueHandle<SSL_CTX, SSL_CTX_free>;

// The newest reason in this thread's error queue, and clears the queue: what is left there would be
// taken for the failure of the next call on any connection of this thread.
std::string TakeReason();

// All certificates of a PEM file, in order. kInvalidArgument names the file and what is wrong with
// it.
base::Result<std::vector<UniqueX509>> ReadCertificates(const std::string& file);

// Its private key. A key behind a pass phrase is refused: a daemon has nobody to ask.
base::Result<UniqueKey> ReadKey(const std::string& file);

base::Timestamp TimeOf(const ASN1_TIME* time);
std::string CommonNameOf(const X509& certificate);  // "" when it has none

}  // namespace heliograph::tls
