/// A private authority, and one certificate of it for every host of the fake Internet. Made for these tests only, valid
/// for a hundred years.
package enum TestCertificates {
  package static let authority = """
    -----BEGIN CERTIFICATE-----
    MIIBqDCCAU+gAwIBAgIUGTQg0ttz3HPWO6XCmOoirN0j0L0wCgYIKoZIzj0EAwIw
    ITEfMB0GA1UEAwwWQXRlbGllciB0ZXN0IGF1dGhvcml0eTAgFw0yNjExMjExMDU0
    MjdaGA8yMTI2MTAyODEwNTQyN1owITEfMB0GA1UEAwwWQXRlbGllciB0ZXN0IGF1
    dGhvcml0eTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABO4pxvDiCXxC1U+BSh3n
    PSt+j/N33mIwm2XfHXVirww0Y2Uoarb/Oxocx97ummiZeY8ewY6DDXGIlTBFF+I4
    LVqjYzBhMB0GA1UdDgQWBBQJ+uEMeqvQhFwt90etjphgVIeLnTAfBgNVHSMEGDAW
    gBQJ+uEMeqvQhFwt90etjphgVIeLnTAPBgNVHRMBAf8EBTADAQH/MA4GA1UdDwEB
    /wQEAwICBDAKBggqhkjOPQQDAgNHADBEAiEAl7tO+13uWj8wDiJL4YcMooqEjMCm
    xHOUT7BH4SNvEQ4CH1XPPIZFL9GBDYfdfIELyKTDCZHs8Fny429p1OTfIlc=
    -----END CERTIFICATE-----
    """

  package static let leaf = """
    -----BEGIN CERTIFICATE-----
    MIICDTCCAbSgAwIBAgIUMILg0gQRmRwuLEgpDCF+oH+ex+0wCgYIKoZIzj0EAwIw
    ITEfMB0GA1UEAwwWQXRlbGllciB0ZXN0IGF1dGhvcml0eTAgFw0yNjExMjExMTIw
    MTZaGA8yMTI2MTAyODExMjAxNlowFjEUMBIGA1UEAwwLdmljdGltLnRlc3QwWTAT
    BgcqhkjOPQIBBggqhkjOPQMBBwNCAAQqZANQWK9dBADmevajnUJ4C6jhO7vhRmcu
    ljL7Dnf3vcxowU1J0l20qZ5dgmSPTLuimG5V1/c7DAwDO6S6mVrSo4HSMIHPMG0G
    A1UdEQRmMGSCC3ZpY3RpbS50ZXN0gglldmlsLnRlc3SCCGNkbi50ZXN0ggpwYXBl
    ci50ZXN0ggtjYW52YXMudGVzdIITeG4tLTgwYWs2YWE5MmUudGVzdIIMKi5wZWVy
    cy50ZXN0hwR/AAABMAkGA1UdEwQCMAAwEwYDVR0lBAwwCgYIKwYBBQUHAwEwHQYD
    VR0OBBYEFNq45VSumj0ryfQgdyVfhOKh1xfHMB8GA1UdIwQYMBaAFAn64Qx6q9CE
    XC33R62OmGBUh4udMAoGCCqGSM49BAMCA0cAMEQCIFqxyaVRf5uqM2kpQo8ref5w
    j7e2j9A9sPVWxBi7JLu7AiBnerkXD1/IIwP5sVkxDLU4mX9atpTOUkZ5ZNrly4q3
    iQ==
    -----END CERTIFICATE-----
    """

  package static let leafKey = """
    -----BEGIN PRIVATE KEY-----
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg/E/l6Q2ds0UK4mWe
    pwU7KXPuf+DsmIF3tp/mitYPqe+hRANCAAQqZANQWK9dBADmevajnUJ4C6jhO7vh
    RmculjL7Dnf3vcxowU1J0l20qZ5dgmSPTLuimG5V1/c7DAwDO6S6mVrS
    -----END PRIVATE KEY-----
    """
}
