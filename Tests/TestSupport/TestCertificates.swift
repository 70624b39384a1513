/// A private authority, and one certificate of it for every host of the fake Internet. Made for these tests only, valid
/// for a hundred years.
package enum TestCertificates {
  package static let authority = """
    -----BEGIN CERTIFICATE-----
    MIIBqjCCAU+gAwIBAgIUWzYFeYWT36dyTYhpMA4W4MQkbQYwCgYIKoZIzj0EAwIw
    ITEfMB0GA1UEAwwWQXRlbGllciB0ZXN0IGF1dGhvcml0eTAgFw0yNjExMjExNjI2
    MzFaGA8yMTI2MTAyODE2MjYzMVowITEfMB0GA1UEAwwWQXRlbGllciB0ZXN0IGF1
    dGhvcml0eTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABFdxidPzUITkxMjY7ZNl
    uOL3K1aiHtK6bTsDZ9Jco2HgxPeFtp+YLVzS85q69DgviZc1A3XWM7hkfZQ7KtS3
    vnqjYzBhMB0GA1UdDgQWBBQa3Mf0raW7X0qbA+kySPad9ILMIjAfBgNVHSMEGDAW
    gBQa3Mf0raW7X0qbA+kySPad9ILMIjAPBgNVHRMBAf8EBTADAQH/MA4GA1UdDwEB
    /wQEAwIBBjAKBggqhkjOPQQDAgNJADBGAiEAmGQHJTsG1Rizuo5mS+vaAd1uN6EO
    y+U3XIia5RZ8KdECIQClzzLq9F/vccHLYzYf7nk64+t2OlFXSQxOxNNH/sfV1g==
    -----END CERTIFICATE-----
    """

  package static let leaf = """
    -----BEGIN CERTIFICATE-----
    MIICHjCCAcSgAwIBAgIUdKprBCQBgIBpoGVru9/3bSPgEnIwCgYIKoZIzj0EAwIw
    ITEfMB0GA1UEAwwWQXRlbGllciB0ZXN0IGF1dGhvcml0eTAgFw0yNjExMjExNjI2
    MzJaGA8yMTI2MTAyODE2MjYzMlowFjEUMBIGA1UEAwwLdmljdGltLnRlc3QwWTAT
    BgcqhkjOPQIBBggqhkjOPQMBBwNCAARHclwBrv15VdMw1xo6N0lZQYIXZftuR9aQ
    nHWS6q5ca0lo61odH43Hjp4rCwcGiTsI1mdOHEezpl70lrbdtUEEo4HiMIHfMIGc
    BgNVHREEgZQwgZGCC3ZpY3RpbS50ZXN0gglldmlsLnRlc3SCCGNkbi50ZXN0ggpw
    YXBlci50ZXN0ggtjYW52YXMudGVzdIITeG4tLTgwYWs2YWE5MmUudGVzdIIMKi5w
    ZWVycy50ZXN0gglvdXJzLnRlc3SCCGd0cy50ZXN0gglzbmFjLnRlc3SCC3Rha2Fo
    ZS50ZXN0hwR/AAABMB0GA1UdDgQWBBQp1O4c7Ol4FjaQSAoVRX/Yo1c66zAfBgNV
    HSMEGDAWgBQa3Mf0raW7X0qbA+kySPad9ILMIjAKBggqhkjOPQQDAgNIADBFAiEA
    uj2TN/de97M0JZmL3PS3IjyqoAUxEOUeUIgbdGPOKSoCICBHfD6LsR+uuVhY0gwT
    vOLXa12hSIcNDkfUVYH+IKA7
    -----END CERTIFICATE-----
    """

  package static let leafKey = """
    -----BEGIN PRIVATE KEY-----
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg2A89nULuRgHCNfmu
    PrFmhhjvaiw7i6JOLl9BNqRv8iahRANCAARHclwBrv15VdMw1xo6N0lZQYIXZftu
    R9aQnHWS6q5ca0lo61odH43Hjp4rCwcGiTsI1mdOHEezpl70lrbdtUEE
    -----END PRIVATE KEY-----
    """
}
