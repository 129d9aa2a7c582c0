import t from 'tap';
import { buildRemedy, dkmsCommand } from '../../agent/diagnosis/dkms-remedy.ts';

t.test('for a kernel by its release', (t) => {
  t.equal(dkmsCommand('6.1.0-56-amd64'), 'dkms autoinstall -k 6.1.0-56-amd64');
  t.equal(
    buildRemedy('6.1.0-56-amd64'),
    'build it for this kernel (with DKMS: dkms autoinstall -k 6.1.0-56-amd64; it needs linux-headers-6.1.0-56-amd64), or install a package that did',
  );
  t.end();
});

t.test('where the release is not known, for the one that runs', (t) => {
  t.equal(dkmsCommand(undefined), 'dkms autoinstall');
  t.equal(
    buildRemedy(undefined),
    'build it for this kernel (with DKMS: dkms autoinstall; it needs its headers), or install a package that did',
  );
  t.end();
});
