"""Creates the charge that pystrike's tests retrieve, runs the tests, and checks that all four ran and passed."""

import http.client
import json
import os
import ssl
import sys
import unittest
import urllib.parse

import pystrike
from pystrike.charge import make_charge_class

sandbox_info, folder = sys.argv[1:]
sandbox = json.loads(sandbox_info)
url = urllib.parse.urlsplit(sandbox["base_url"])
assert url.scheme == "https", url

# The variables that the tests read, and the CA certificate for Python's TLS.
os.environ["SSL_CERT_FILE"] = sandbox["ca_cert"]
os.environ["STRIKE_TESTNET_HOST"] = url.netloc
os.environ["STRIKE_TESTNET_API_KEY"] = sandbox["api_key"]
os.environ["STRIKE_TESTNET_API_BASE"] = url.path

Charge = make_charge_class(sandbox["api_key"], url.netloc, url.path)
charge = Charge(4200, Charge.CURRENCY_BTC, "to be retrieved")
os.environ["RETRIEVE_CHARGE_ID"] = charge.id

print("pystrike:", os.path.dirname(pystrike.__file__))
print("Python:  ", sys.version.split()[0], "with", ssl.OPENSSL_VERSION)
print("sandbox: ", sandbox["base_url"], "trusted by", sandbox["ca_cert"])
sys.stdout.flush()

# Strict certificate checks, which are the default since Python 3.13.
strict = ssl.create_default_context()
strict.verify_flags |= ssl.VERIFY_X509_STRICT
connection = http.client.HTTPSConnection(url.netloc, context=strict)
connection.request("GET", url.path + "charges")
assert connection.getresponse().status == 401

suite = unittest.defaultTestLoader.discover(folder, top_level_dir=folder)
result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(suite)
if result.testsRun != 4 or result.skipped or not result.wasSuccessful():
    sys.exit(f"expected 4 tests to pass, but {result.testsRun} ran: {result}")
print("pystrike's own 4 tests passed over HTTPS.")
