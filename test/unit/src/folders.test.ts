import { expect } from 'chai'
import { foldersFrom } from '../../../src/folders.ts'

describe('foldersFrom', () => {
  it('follows the XDG defaults below the home folder', () => {
    expect(foldersFrom({ HOME: '/h' }, 7)).to.deep.equal({
      configFile: '/h/.config/archipelago/config.yaml',
      state: '/h/.local/state/archipelago',
      data: '/h/.local/share/archipelago/apps',
      units: '/h/.config/containers/systemd',
      userUnits: '/h/.config/systemd/user',
      socket: '/run/user/7/archipelago/api.sock',
    })
  })

  it('follows the XDG variables', () => {
    const xdg = { XDG_CONFIG_HOME: '/c', XDG_STATE_HOME: '/s', XDG_DATA_HOME: '/d' }
    expect(foldersFrom({ HOME: '/h', ...xdg, XDG_RUNTIME_DIR: '/r' }, 7)).to.deep.equal({
      configFile: '/c/archipelago/config.yaml',
      state: '/s/archipelago',
      data: '/d/archipelago/apps',
      units: '/c/containers/systemd',
      userUnits: '/c/systemd/user',
      socket: '/r/archipelago/api.sock',
    })
  })

  it('lets the variables of archy win, which never move units', () => {
    const own = { ARCHY_CONFIG: '/1', ARCHY_STATE: '/2', ARCHY_DATA: '/3', ARCHY_SOCKET: '/4' }
    const folders = foldersFrom({ HOME: '/h', XDG_STATE_HOME: '/s', ...own }, 7)
    expect(folders).to.include({ configFile: '/1', state: '/2', data: '/3', socket: '/4' })
    expect(folders.units).to.equal('/h/.config/containers/systemd')
  })
})
