"""Certificates of an authority of the tests, made by openssl."""

import pathlib
import subprocess


class Authority:
    """An authority, with its files in a folder."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.openssl(
            "req", "-x509", *self.key_into("ca.key"), "-out", "ca.crt", "-days", "2", "-subj", "/CN=test"
        )

    def openssl(self, *words: str) -> None:
        subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True)

    def key_into(self, file: str) -> list[str]:
        return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", file]

    def issue(self, into: pathlib.Path, *names: str) -> None:
        """Writes a certificate for names, its key and that of the authority, as cert-manager does."""
        into.mkdir(exist_ok=True)
        self.openssl("req", *self.key_into("new.key"), "-out", "new.csr", "-subj", f"/CN={names[0]}")
        (self.folder / "names").write_text("subjectAltName=" + ",".join(f"DNS:{n}" for n in names))
        self.openssl(
            "x509", "-req", "-in", "new.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
            "-days", "2", "-extfile", "names", "-out", "new.crt",
        )
        for ours, theirs in (("ca.crt", "ca.crt"), ("new.crt", "tls.crt"), ("new.key", "tls.key")):
            draft = into / "draft"
            draft.write_bytes((self.folder / ours).read_bytes())
            draft.rename(into / theirs)
