// Wrong certificate files are sentences that name the file.
#include "tls/certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "support/certificates.h"
#include "support/folder.h"
#include "tls/client_context.h"

namespace heliograph::tls {
namespace {

using std::chrono::hours;
using testing::AllOf;
using testing::HasSubstr;

class CertificateFiles : public testing::Test {
 protected:
  CertificateFiles() {
    authority_.WriteCertificate(files_.ca_file);
    authority_.Issue({.common_name = "solar-1", .valid_until = hours(49)}, files_.cert_file,
                     files_.key_file);
  }

  std::string Fault(base::Timestamp now) const {
    const auto checked = CheckFiles(files_, now);
    if (checked) return "";
    EXPECT_EQ(checked.error().code, base::ErrorCode::kInvalidArgument);
    return checked.error().message;
  }

  const base::Timestamp now_ = base::SystemClock().Now();
  support::Folder folder_;
  support::Authority authority_{"authority", hours(1000)};
  Files files_{folder_.File("ca.crt"), folder_.File("c.crt"), folder_.File("c.key")};
};

TEST_F(CertificateFiles, TellsWhoAndHowLong) {
  const auto checked = CheckFiles(files_, now_);
  ASSERT_TRUE(checked) << checked.error().message;
  EXPECT_EQ(checked->common_name, "solar-1");
  EXPECT_EQ(checked->file, files_.cert_file);
  EXPECT_EQ(DaysLeft(*checked, now_), 2);
  EXPECT_EQ(DaysLeft(*checked, checked->not_after), 0);
  EXPECT_EQ(DaysLeft(*checked, checked->not_after + std::chrono::seconds(1)), -1);
}

TEST_F(CertificateFiles, ValidityIsJudgedAtTheGivenTime) {
  EXPECT_EQ(Fault(now_), "");
  EXPECT_THAT(Fault(now_ + hours(50)), AllOf(HasSubstr(files_.cert_file), HasSubstr("expired at")));
  EXPECT_THAT(Fault(now_ - hours(2)),
              AllOf(HasSubstr(files_.cert_file), HasSubstr("is not valid before")));
  EXPECT_THAT(Fault(now_ + hours(2000)), AllOf(HasSubstr(files_.ca_file), HasSubstr("expired at")))
      << "no authority is left";
}

TEST_F(CertificateFiles, OneValidAuthorityIsEnough) {
  const support::Authority old("old", hours(-1));
  old.WriteCertificate(folder_.File("old.crt"));
  std::ifstream first(folder_.File("old.crt"));
  std::ifstream second(files_.ca_file);
  std::string both(std::istreambuf_iterator<char>(first), {});
  both.append(std::istreambuf_iterator<char>(second), {});
  files_.ca_file = folder_.Write("both.crt", both);
  EXPECT_EQ(Fault(now_), "");
  files_.ca_file = folder_.File("old.crt");
  EXPECT_THAT(Fault(now_), HasSubstr("expired at"));
}

TEST_F(CertificateFiles, AKeyOfAnotherCertificate) {
  authority_.Issue({.common_name = "solar-2"}, folder_.File("d.crt"), folder_.File("d.key"));
  files_.key_file = folder_.File("d.key");
  EXPECT_EQ(Fault(now_), "'" + files_.key_file + "' is not the key of the certificate '" +
                             files_.cert_file + "'");
}

TEST_F(CertificateFiles, EachFileMissingDamagedOrOfAnotherKind) {
  const std::string good_certificate = files_.cert_file;
  const std::string good_key = files_.key_file;
  struct Case {
    const char* why;
    std::string Files::* file;
    std::string path;
    const char* message;
  };
  const std::string damaged =
      "-----BEGIN CERTIFICATE-----\nbm90IGEgY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n";
  const Case cases[] = {
      {"authorities missing", &Files::ca_file, folder_.File("none"), "No such file"},
      {"certificate missing", &Files::cert_file, folder_.File("none"), "No such file"},
      {"key missing", &Files::key_file, folder_.File("none"), "No such file"},
      {"a folder", &Files::cert_file, folder_.File("."), ""},
      {"not PEM", &Files::ca_file, folder_.Write("text", "hello"), "holds no certificate"},
      {"empty", &Files::cert_file, folder_.Write("empty", ""), "holds no certificate"},
      {"damaged", &Files::cert_file, folder_.Write("damaged", damaged), "damaged certificate"},
      {"a key where the certificate should be", &Files::cert_file, good_key,
       "holds no certificate"},
      {"a certificate where the key should be", &Files::key_file, good_certificate,
       "holds no usable private key"},
      {"not set", &Files::key_file, "", "is not set"},
  };
  for (const Case& one : cases) {
    Files files = files_;
    files.*one.file = one.path;
    const auto checked = CheckFiles(files, now_);
    ASSERT_FALSE(checked) << one.why;
    EXPECT_THAT(checked.error().message, AllOf(HasSubstr(one.message), HasSubstr(one.path)))
        << one.why;
  }
}

TEST_F(CertificateFiles, AKeyBehindAPassPhraseIsRefusedWithoutAsking) {
  authority_.Issue({.common_name = "solar-1", .pass_phrase = "secret"}, files_.cert_file,
                   files_.key_file);
  EXPECT_THAT(Fault(now_), HasSubstr("is behind a pass phrase"));
}

TEST_F(CertificateFiles, AContextNeedsAuthorities) {
  EXPECT_TRUE(ClientContext::Create(files_.ca_file, Buffers::kLarge));
  const auto without = ClientContext::Create(folder_.Write("empty", ""), Buffers::kSmall);
  ASSERT_FALSE(without);
  EXPECT_THAT(without.error().message, HasSubstr(folder_.File("empty")));
}

}  // namespace
}  // namespace heliograph::tls
