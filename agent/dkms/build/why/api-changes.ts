/**
 * Changes of the kernel's interface that break drivers, as its commits tell them. Pure.
 *
 * The release is the first of kernel.org; distributions carry some changes back to older ones.
 */
import type { ApiChange } from '../../../records/dkms/build-failure.ts';

type Row = readonly [symbol: string, since: string, now: string];

/** Functions, macros, types and headers that are no longer there, and what replaces them. */
const GONE: readonly Row[] = [
  ['init_timer', '4.15', 'timer_setup()'],
  ['setup_timer', '4.15', 'timer_setup()'],
  ['timer_list.data', '4.15', 'the callback gets the timer, timer_container_of() what holds it'],
  ['do_gettimeofday', '5.0', 'ktime_get_real_ts64()'],
  ['dma_zalloc_coherent', '5.0', 'dma_alloc_coherent()'],
  ['VERIFY_READ', '5.0', 'access_ok() without its first argument'],
  ['VERIFY_WRITE', '5.0', 'access_ok() without its first argument'],
  ['skb_frag_struct', '5.4', 'skb_frag_t with skb_frag_off() and skb_frag_size()'],
  ['ioremap_nocache', '5.6', 'ioremap()'],
  ['getnstimeofday', '5.6', 'ktime_get_real_ts64()'],
  ['timespec', '5.6', 'struct timespec64'],
  ['timeval', '5.6', 'struct timespec64, or ktime_t'],
  ['i2c_new_device', '5.8', 'i2c_new_client_device()'],
  ['mm_struct.mmap_sem', '5.8', 'mmap_read_lock() and mmap_write_lock()'],
  ['uninitialized_var', '5.9', 'a plain variable'],
  ['kzfree', '5.10', 'kfree_sensitive()'],
  ['get_fs', '5.10', 'kernel_read(), kernel_write() and their like'],
  ['set_fs', '5.10', 'kernel_read(), kernel_write() and their like'],
  ['linux/ide.h', '5.14', 'libata'],
  ['alloc_disk', '5.15', 'blk_alloc_disk()'],
  ['stdarg.h', '5.15', 'linux/stdarg.h'],
  ['scsi_cmnd.request', '5.15', 'scsi_cmd_to_rq()'],
  ['scsi_cmnd.scsi_done', '5.16', 'scsi_done()'],
  ['PDE_DATA', '5.17', 'pde_data()'],
  ['complete_and_exit', '5.17', 'kthread_complete_and_exit()'],
  ['pci_alloc_consistent', '5.18', 'dma_alloc_coherent()'],
  ['pci_free_consistent', '5.18', 'dma_free_coherent()'],
  ['pci_map_single', '5.18', 'dma_map_single()'],
  ['pci_unmap_single', '5.18', 'dma_unmap_single()'],
  ['pci_set_dma_mask', '5.18', 'dma_set_mask()'],
  ['acpi_bus_get_device', '5.18', 'acpi_fetch_acpi_dev()'],
  ['prandom_u32', '6.1', 'get_random_u32()'],
  ['register_sysctl_table', '6.5', 'register_sysctl()'],
  ['proto_ops.sendpage', '6.5', 'sendmsg with MSG_SPLICE_PAGES'],
  ['i2c_driver.probe_new', '6.6', 'probe'],
  ['inode.i_ctime', '6.6', 'inode_get_ctime() and inode_set_ctime_to_ts()'],
  ['inode.i_mtime', '6.7', 'inode_get_mtime() and inode_set_mtime_to_ts()'],
  ['inode.i_atime', '6.7', 'inode_get_atime() and inode_set_atime_to_ts()'],
  ['strlcpy', '6.8', 'strscpy()'],
  ['blkdev_get_by_path', '6.8', 'bdev_file_open_by_path()'],
  ['no_llseek', '6.12', 'no llseek at all'],
  ['asm/unaligned.h', '6.12', 'linux/unaligned.h'],
  ['del_timer', '6.15', 'timer_delete()'],
  ['del_timer_sync', '6.15', 'timer_delete_sync()'],
  ['hrtimer_init', '6.15', 'hrtimer_setup()'],
  ['from_timer', '6.16', 'timer_container_of()'],
  ['ida_simple_get', '6.18', 'ida_alloc()'],
  ['ida_simple_remove', '6.18', 'ida_free()'],
];

/** What is still there, in another form. */
const CHANGED: readonly Row[] = [
  ['access_ok', '5.0', 'access_ok(address, size), without the type'],
  ['totalram_pages', '5.0', 'a function'],
  ['proc_create', '5.6', 'it takes struct proc_ops'],
  ['proc_create_data', '5.6', 'it takes struct proc_ops'],
  ['__vmalloc', '5.8', 'no protection argument'],
  ['dev_addr', '5.17', 'read-only: dev_addr_set() or eth_hw_addr_set()'],
  ['netif_napi_add', '6.1', 'no weight: netif_napi_add_weight() has one'],
  ['i2c_driver.remove', '6.1', 'it returns nothing'],
  ['i2c_driver.probe', '6.3', 'it takes the client alone'],
  ['vm_flags', '6.3', 'read-only: vm_flags_set() and vm_flags_clear()'],
  ['class_create', '6.4', 'it takes the name alone'],
  ['get_user_pages', '6.5', 'no argument for the areas'],
  ['platform_driver.remove', '6.11', 'it returns nothing'],
  ['MODULE_IMPORT_NS', '6.13', 'it takes a string'],
];

/** What older kernels lack, and what they have in its place. */
const ADDED: readonly Row[] = [
  ['timer_setup', '4.15', 'setup_timer()'],
  ['kfree_sensitive', '5.9', 'kzfree()'],
  ['eth_hw_addr_set', '5.15', 'a copy to dev_addr'],
  ['pde_data', '5.17', 'PDE_DATA()'],
  ['timer_delete', '6.2', 'del_timer()'],
  ['timer_delete_sync', '6.2', 'del_timer_sync()'],
  ['timer_shutdown_sync', '6.2', 'del_timer_sync()'],
  ['get_random_u32_below', '6.2', 'prandom_u32_max()'],
  ['vm_flags_set', '6.3', 'an assignment to vm_flags'],
  ['linux/unaligned.h', '6.12', 'asm/unaligned.h'],
  ['hrtimer_setup', '6.13', 'hrtimer_init()'],
  ['timer_container_of', '6.16', 'from_timer()'],
];

/** Functions that modules could use once. */
const UNEXPORTED: readonly Row[] = [
  ['kallsyms_lookup_name', '5.7', 'a kprobe, or an exported function'],
  ['kallsyms_on_each_symbol', '5.7', 'an exported function'],
  ['__kernel_fpu_begin', '5.0', 'kernel_fpu_begin(), for GPL modules'],
  ['do_exit', '5.17', 'kthread_complete_and_exit(), or a return'],
];

const BY_SYMBOL: ReadonlyMap<string, ApiChange> = new Map(
  (['gone', 'changed', 'added'] as const).flatMap((kind) => {
    const rows = { gone: [...GONE, ...UNEXPORTED], changed: CHANGED, added: ADDED }[kind];
    return rows.map(([symbol, since, now]) => [symbol, { symbol, kind, since, now }] as const);
  }),
);

/** All that plugd knows, for tests and documentation. */
export const API_CHANGES: readonly ApiChange[] = [...BY_SYMBOL.values()];

/** What became of a function, `struct.member` or header: `apiChange('from_timer')`; undefined when plugd does not know. */
export function apiChange(symbol: string): ApiChange | undefined {
  return BY_SYMBOL.get(symbol);
}
